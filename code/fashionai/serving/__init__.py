"""The web service: pictures come in over HTTP, findings go out; the page that shows them; needs Python 3.10."""
