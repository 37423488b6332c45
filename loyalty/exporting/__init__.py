"""Lists as files, CSV and XLSX, row by row in constant memory."""
