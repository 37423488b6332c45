"""What a balance import would do: its rows read, judged one by one and together, and added up; nothing is written."""
