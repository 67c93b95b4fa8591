"""What pages read, as the person who asks: every read takes that person's role and claims."""
