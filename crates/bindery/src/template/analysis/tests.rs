use super::*;

/// The required paths of `source`, or its faults.
fn describe(source: &str) -> String {
    match analyse(source) {
        Ok(needs) => {
            let paths: Vec<String> =
                needs.required.iter().map(|(path, line)| format!("{path}@{line}")).collect();
            paths.join(" ")
        }
        Err(faults) => {
            let faults: Vec<String> =
                faults.iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect();
            faults.join(" | ")
        }
    }
}

#[track_caller]
fn check(source: &str, expected: &str) {
    assert_eq!(describe(source), expected, "source: {source}");
}

/// A fault that names `words`, on `line`.
#[track_caller]
fn check_fault(source: &str, line: u32, words: &str) {
    let faults = analyse(source).expect_err("a fault");
    let found = faults.iter().any(|fault| fault.line == line && fault.message.contains(words));
    assert!(found, "source: {source}, faults: {faults:?}");
}

#[test]
fn what_is_printed_is_required_with_its_first_line() {
    check("Hello", "");
    check("{{ ctx.order.number }}", "order.number@1");
    check("a\n{{ ctx.b }}\n{{ ctx.b }} {{ ctx.a.c }}", "a.c@3 b@2");
    check("{{ ctx['order']['number'] }} {{ ctx.lines[0].name }}", "lines.0.name@1 order.number@1");
    check("{{ ctx.total|round(2)|upper }}", "total@1");
    check("{{ ctx.a ~ ctx.b }}{{ -ctx.c }}{{ ctx.d + 1 }}", "a@1 b@1 c@1 d@1");
}

#[test]
fn a_default_leaves_only_the_parent_required() {
    check("{{ ctx.note|default('none') }}", "");
    check("{{ ctx.order.note|d('none') }}", "order@1");
    check("{{ ctx.order.note or ctx.fallback }}", "fallback@1 order@1");
    check("{{ ctx.note|default(ctx.other) }}", "other@1");
}

#[test]
fn a_condition_provides_for_what_it_asks() {
    check("{% if ctx.note %}{{ ctx.note }}{% endif %}", "");
    check("{% if ctx.gift is defined %}{{ ctx.gift.note }}{% endif %}", "");
    check("{% if ctx.gift is undefined %}-{% else %}{{ ctx.gift.note }}{% endif %}", "");
    check("{% if not ctx.gift %}-{% else %}{{ ctx.gift.note }}{% endif %}", "");
    check("{% if ctx.a and ctx.b %}{{ ctx.a }}{{ ctx.b }}{% endif %}", "");
    check("{{ ctx.a if ctx.a else 'none' }}", "");
    check("{% if ctx.a and ctx.a.b == 1 %}x{% endif %}", "");
    check("{% if ctx.order.note %}x{% endif %}", "order@1");
}

#[test]
fn a_condition_provides_for_nothing_else() {
    check("{% if ctx.note %}{{ ctx.name }}{% endif %}", "name@1");
    check("{% if ctx.note %}x{% endif %}{{ ctx.note }}", "note@1");
    check("{% if ctx.note %}x{% else %}{{ ctx.note }}{% endif %}", "note@1");
    check("{% if ctx.a or ctx.b %}{{ ctx.a }}{% endif %}", "a@1");
    check("{% if ctx.kind == 'gift' %}x{% endif %}", "kind@1");
}

#[test]
fn a_loop_requires_its_list_and_not_its_elements() {
    check("{% for line in ctx.lines %}{{ loop.index }} {{ line.name }}{% endfor %}", "lines@1");
    check("{% for line in ctx.lines|default([]) %}{{ line }}{% endfor %}", "");
    check("{% for key, value in ctx.map.items() %}{{ key }}{% endfor %}", "map@1");
    check("{% for i in range(3) %}{{ i }}{% endfor %}", "");
}

#[test]
fn an_alias_stands_for_its_path() {
    check("{% set order = ctx.order %}{{ order.number }}", "order.number@1");
    check("{% set note = ctx.note %}{% if note %}{{ note }}{% endif %}", "");
    check("{% with c = ctx.customer %}{{ c.name }}{% endwith %}", "customer.name@1");
    check("{% if ctx.a %}{% set x = ctx.a %}{% else %}{% set x = 1 %}{% endif %}{{ x }}", "");
    check("{% set total = ctx.a + ctx.b %}{{ total }}", "a@1 b@1");
}

#[test]
fn a_macro_is_walked_with_its_own_names() {
    check(
        "{% macro row(name) %}{{ name }} {{ ctx.currency }}{% endmacro %}{{ row(ctx.price) }}",
        "currency@1 price@1",
    );
}

#[test]
fn anything_but_ctx_is_a_fault_with_its_line_and_name() {
    check_fault("one\n{{ order.number }}", 2, "unknown variable `order`");
    check_fault("{{ ctx.a }}\n\n{% if customer %}x{% endif %}", 3, "`ctx.customer`");
    check_fault("{{ shout(ctx.a) }}", 1, "`shout`");
}

#[test]
fn what_cannot_be_rendered_is_a_fault() {
    check_fault("a\n{{ ctx.", 2, "syntax error");
    check_fault("{% if ctx.a %}", 1, "syntax error");
    check_fault("x\n{{ ctx.a|shout }}", 2, "unknown filter `shout`");
    check_fault("{{ ctx.a is loud }}", 1, "unknown test `loud`");
    check_fault("\n\n{% include 'footer.html' %}", 3, "stands alone");
}

#[test]
fn all_faults_of_a_text_are_told_at_once() {
    assert_eq!(analyse("{{ a }}\n{{ b }}\n{{ c|d1 }}").expect_err("faults").len(), 4);
}
