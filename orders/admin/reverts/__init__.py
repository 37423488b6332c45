"""The pages that give value back or take that back: cancel, return, undo, reinstate, dismiss, the queue."""
