DROP TABLE news;
DROP FUNCTION notify_news;
