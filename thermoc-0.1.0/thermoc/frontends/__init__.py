"""Files of other tools in, graphs out; and graphs out to NIR."""
