DROP TABLE links;
DROP TABLE signups;
