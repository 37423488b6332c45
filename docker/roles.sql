-- Runs once, as the superuser, in a new PostgreSQL. The product never connects as that superuser: it is above row
-- security. The owner makes the tables; the web, the worker and beat own nothing, and may do with each table what
-- `manage.py migrate` grants them (loyalty/database/rights.py).
\getenv owner_password LOYALTY_OWNER_PASSWORD
\getenv web_password LOYALTY_WEB_PASSWORD

CREATE ROLE loyalty_owner LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE loyalty_web LOGIN NOCREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD :'web_password';
-- As LIMITS["web"] (loyalty/database/time_limits.py); the worker asks for longer ones when it connects.
ALTER ROLE loyalty_web SET statement_timeout = '20s';
ALTER ROLE loyalty_web SET lock_timeout = '5s';
ALTER ROLE loyalty_web SET idle_in_transaction_session_timeout = '30s';

CREATE DATABASE loyalty OWNER loyalty_owner;
