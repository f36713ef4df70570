DROP TABLE erasures;
DROP TABLE audit_chain;
DROP TABLE events;
