"""Labels pictures by hand: a project keeps them, a network proposes points, and a page in the browser corrects them.

Only `app` and `answers` need the packages of the service, and Python 3.10.
"""
