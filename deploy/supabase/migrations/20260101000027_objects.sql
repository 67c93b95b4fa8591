-- A later file replaces what stood here; databases remember that they had this version.
select 1;
