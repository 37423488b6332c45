"""What every web answer has, whoever made it: addresses, security headers, health."""
