"""What pages do: RPCs in the name of the person who asks. Nothing else writes."""
