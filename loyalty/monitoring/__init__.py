"""How the installation is: probes, metrics, and what they are worked out from."""
