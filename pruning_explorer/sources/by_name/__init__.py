"""Networks of libraries, by their names; each library is imported when it is asked for."""
