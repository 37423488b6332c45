"""What can be done with orders: a folder for each subject, a module for each verb."""
