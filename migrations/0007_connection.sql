-- Who the account's secret belongs to, as the service last said, and why it does not work any more:
-- a ConnectionState as JSON.
ALTER TABLE account ADD COLUMN connection TEXT;
