"""What `./run` starts: servers, web, worker, beat and a demonstration."""
