DROP TABLE letters;
DROP TABLE links;
DROP TABLE signups;
