select private.add_default_rules(p.id) from ops.projects p;
