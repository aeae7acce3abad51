-- When a source is left alone, such as '22:00-07:00 Europe/Berlin'.
ALTER TABLE sync_state ADD COLUMN quiet_hours TEXT;
