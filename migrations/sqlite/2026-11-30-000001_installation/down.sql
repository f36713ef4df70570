DROP TABLE keys;
DROP TABLE instance;
