"""Everything on one machine with one command: servers, web, worker, beat and a demonstration."""
