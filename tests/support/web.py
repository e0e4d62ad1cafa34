"""httpx with the authorities' certificates read once.

Each client, and each call without one, would otherwise read them anew: 15 ms of processor time, and thousands of tests
make one.
"""

from functools import partial

import httpx

AUTHORITIES = httpx.create_ssl_context()
Client = partial(httpx.Client, verify=AUTHORITIES)
get = partial(httpx.get, verify=AUTHORITIES)
post = partial(httpx.post, verify=AUTHORITIES)
put = partial(httpx.put, verify=AUTHORITIES)
stream = partial(httpx.stream, verify=AUTHORITIES)
