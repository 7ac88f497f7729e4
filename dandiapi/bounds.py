"""The limits of a request's size, checked before anything reads it. Most proxies have lower ones."""

# Of an address, its query included, in characters; of all headers together, in bytes.
MAX_ADDRESS = 16 * 2**10
MAX_HEADERS = 32 * 2**10
ADDRESS_TOO_LONG = f"The address must have at most {MAX_ADDRESS} characters."
HEADERS_TOO_LARGE = f"All headers together must have at most {MAX_HEADERS} bytes."
