-- Runs once, as the superuser, in a new PostgreSQL. The product never connects as that superuser: it is above row
-- security. The owner makes the tables; the web, the worker and beat read and write rows and own nothing.
\getenv owner_password LOYALTY_OWNER_PASSWORD
\getenv web_password LOYALTY_WEB_PASSWORD

CREATE ROLE loyalty_owner LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE loyalty_web LOGIN NOCREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD :'web_password';

-- New databases copy template1. TRUNCATE is not granted: nobody but the owner can empty a ledger.
\connect template1
ALTER DEFAULT PRIVILEGES FOR ROLE loyalty_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO loyalty_web;
ALTER DEFAULT PRIVILEGES FOR ROLE loyalty_owner GRANT USAGE, SELECT ON SEQUENCES TO loyalty_web;

\connect postgres
CREATE DATABASE loyalty OWNER loyalty_owner;
