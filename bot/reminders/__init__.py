"""The daily reminder to practise, by direct message."""
