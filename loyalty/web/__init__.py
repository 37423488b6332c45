"""What every answer of the web has, whoever made it: addresses, ids of requests, security headers."""
