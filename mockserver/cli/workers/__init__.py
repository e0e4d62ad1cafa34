"""`serve --workers N`: several processes on one port.

supervisor     the process that was started: it holds the sockets, starts the workers, restarts and ends them
order          what it tells a worker at its start, and what that says in return
post __main__  a worker: an ordinary server on sockets that it was given
"""
