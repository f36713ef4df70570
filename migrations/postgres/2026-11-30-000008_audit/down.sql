DROP TABLE erasures;
DROP TABLE audit_chain;
DROP TABLE events;
DROP FUNCTION forbid_event_change;
