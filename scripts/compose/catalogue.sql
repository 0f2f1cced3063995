-- PostgreSQL runs this once, when docker-compose.yaml's database is made.
CREATE DATABASE catalogue;
\connect catalogue
CREATE TABLE products (sku text PRIMARY KEY, description text NOT NULL, picture text);
INSERT INTO products (sku, description) VALUES
    ('boat-01', 'A wooden toy boat with a red sail'),
    ('kite-07', 'A paper kite in the shape of a heron'),
    ('lamp-12', 'A night lamp in the shape of a sleeping moon');
