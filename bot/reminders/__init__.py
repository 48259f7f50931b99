"""The daily reminder to practise, sent as a direct message."""
