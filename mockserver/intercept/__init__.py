"""Leads unmodified programs to the mock: their connections to the documented hosts end here.

certificates   a CA that lives as long as the run, and the certificate of the documented hosts
listener       the proxy's port: CONNECT, TLS, plain HTTP
forward        what is not meant for the mock: refused, or passed on where a setting allows it
interception   all of that around a server, and the folder that programs need
environment    the variables that lead a program here
redirect       the same inside a Python process; imports nothing but the standard library
hooks/         what Python and Node load at their start
command        `mockserver exec`: a server, a program, and the program's exit status
running        the proxy of a server that runs elsewhere
process        the same for this process, in a test
totals         what a program did, in one line
isolate        a network namespace with nothing but loopback
"""
