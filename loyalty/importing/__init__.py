"""Tables that people saved, CSV and XLSX: what they are detected to be, and read row by row in bounded memory."""
