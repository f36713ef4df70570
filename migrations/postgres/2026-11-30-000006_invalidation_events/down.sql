DROP TABLE invalidation_events;
DROP FUNCTION notify_invalidation_events;
