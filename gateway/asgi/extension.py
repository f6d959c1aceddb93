"""The ASGI extension by which our server tells that a client has left.

Apart from everything else: a worker imports the server before Django is set up.
"""

CLIENT_LEAVES = "llm_router.client_leaves"
