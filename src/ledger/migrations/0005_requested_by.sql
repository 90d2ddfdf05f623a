-- The member of staff who asked for it, as a login name; NULL where nobody was named. Whoever asked for an erasure may not release a hold
-- that affects it.
ALTER TABLE request ADD COLUMN requested_by TEXT;
