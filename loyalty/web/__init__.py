"""What every answer of the web has, whoever made it: addresses, security headers, health."""
