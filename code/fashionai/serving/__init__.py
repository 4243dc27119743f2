"""The web service: pictures come in over HTTP, predictions go out, and a page shows them. It needs Python 3.10."""
