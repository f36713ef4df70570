DROP TABLE invalidation_events;
