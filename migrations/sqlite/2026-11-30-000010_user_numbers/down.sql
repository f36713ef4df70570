DROP TABLE user_numbers;
