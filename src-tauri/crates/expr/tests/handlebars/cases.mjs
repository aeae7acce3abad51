// Templates with data, ours to begin with. What handlebars.js makes of them is in agreed.json.
// A group is a list of [template, data]; data that is left out is `shop`.

export const shop = {
  name: 'Ada', empty: '', zero: 0, one: 1, yes: true, no: false, nothing: null,
  html: '<b class="x">Tom & \'Jerry\' `=`</b>',
  price: 12.5, big: 1e21, small: 1e-7, negative: -0.25, whole: 3.0,
  tags: ['bug', 'ui', 'a&b'], numbers: [0, 1, 2], none: [], nested: [[1, 2], [3, [4, null]]],
  flags: [true, false, null, 0, ''],
  user: { name: 'Grace', mail: 'g@x.org', address: { city: 'Arlington', zip: null } },
  people: [
    { name: 'Ann', age: 31, tags: ['x', 'y'] },
    { name: 'Bob', age: 0, tags: [] },
    { name: 'Cleo', tags: ['z'], boss: { name: 'Ann' } },
  ],
  map: { b: 1, a: 2, c: { d: 3 } },
  numbered: { z: 'last', 10: 'ten', 2: 'two', '01': 'text' },
  'first name': 'Ada Lovelace', 'a.b': 'dotted', 'x-y': 'dash', 'ü': 'umlaut', $id: 7, '@at': 'at',
  12: 'twelve', true: 'the field true', 'else if': 'no',
  emptyObject: {}, length: 5,
};

const values = [
  ['{{name}}'], ['{{ name }}'], ['{{\tname\n}}'], ['Hello {{name}}!'], ['{{name}}{{name}}'],
  ['{{missing}}'], ['[{{missing}}]'], ['{{missing.deep.er}}'], ['{{name.deep.er}}'], ['{{nothing.x}}'],
  ['{{nothing}}'], ['{{zero}}'], ['{{one}}'], ['{{yes}}'], ['{{no}}'], ['{{empty}}'],
  ['{{price}}'], ['{{big}}'], ['{{small}}'], ['{{negative}}'], ['{{whole}}'],
  ['{{tags}}'], ['{{none}}'], ['{{nested}}'], ['{{flags}}'], ['{{user}}'], ['{{people}}'],
  ['{{{user}}}'], ['{{{tags}}}'], ['{{{nested}}}'],
  ['{{user.name}}'], ['{{user.address.city}}'], ['{{user.address.zip}}'], ['{{user/name}}'],
  ['{{user/address/city}}'], ['{{user.address/city}}'], ['{{user/ name}}', { user: { name: 1 } }],
  ['{{tags.[0]}}'], ['{{tags.[3]}}'], ['{{tags.[01]}}'], ['{{tags.length}}'],
  ['{{name.length}}'], ['{{nested.[1].[1].[0]}}'], ['{{people.[1].name}}'], ['{{people.2.boss.name}}'],
  ['{{name.[0]}}'], ['{{user.length}}'], ['{{none.length}}'],
  ['{{[first name]}}'], ['{{user.[name]}}'], ['{{[user].name}}'], ['{{[a.b]}}'], ['{{x-y}}'], ['{{ü}}'],
  ['{{$id}}'], ['{{[@at]}}'], ['{{"first name"}}'], ["{{'first name'}}"], ['{{12}}'], ['{{true}}'],
  ['{{false}}'], ['{{null}}'], ['{{undefined}}'], ['{{"missing name"}}'], ['{{[else if]}}'],
  ['{{this.name}}'], ['{{./name}}'], ['{{this/name}}'], ['{{.}}', 'plain'], ['{{this}}', 42],
  ['{{this}}', ['a', 'b']], ['{{this.[0]}}', ['a', 'b']], ['{{[this]}}', { this: 'a field' }],
  ['{{this.[this]}}', { this: 'a field' }], ['{{user.[this]}}'], ['{{map.c.d}}'],
  ['{{../name}}'], ['{{../../name}}'], ['{{@root.name}}'], ['{{@root/user/name}}'], ['{{@index}}'],
  ['{{@key}}|{{@first}}|{{@last}}'], ['{{@root}}', 'text'], ['{{@root.[first name]}}'],
  ['{{constructor}}'], ['{{user.constructor}}'], ['{{toString}}'], ['{{__proto__}}'], ['{{tags.push}}'],
  ['{{a}}', { a: '\u00a0\u2003' }], ['{{a}}', { a: '日本語 \u{1f600}' }], ['{{a.length}}', { a: '\u{1f600}é' }],
  ['{{a}}', null], ['{{a}}', 5], ['{{length}}', [1, 2]], ['{{length}}', 'abc'],
  ['{{a.b}}', { a: { b: -0 } }], ['{{a}}', { a: 123456789012345680000 }], ['{{a}}', { a: 0.000001 }],
  ['{{a}}', { a: [[], [null], [[]], [0]] }],
];

const escaping = [
  ['{{html}}'], ['{{{html}}}'], ['{{&html}}'], ['{{& html }}'], ['{{{ html }}}'], ['{{~{html}~}}'],
  ['{{&amp}}', { amp: '&amp;' }], ['{{tags}}'], ['{{{tags}}}'], ['<p>{{name}}</p>'], ['&lt;{{name}}'],
  ['{{a}}', { a: '&<>"\'`=' }], ['{{a}}', { a: ['<', '>'] }], ['{{a.b}}', { a: { b: '=' } }],
  ['\\{{name}}'], ['\\\\{{name}}'], ['\\\\\\{{name}}'], ['a \\{{name}} b {{name}}'],
  ['\\{{name}} \\{{name}}'], ['\\{{name}}\\\\{{name}}'], ['\\{{{html}}}'], ['\\{{#if yes}}x'],
  ['\\{{name}}{{name}}'], ['a\\b'], ['a\\\\b {{name}}'], ['{ {name} }'], ['}}'],
  ['{'], ['{{name}} }} {'], ['\\{{a'], ['\\{{'], ['\\\\\\\\{{name}}'], ['\\ {{name}}'],
];

const ifs = [
  ...['name', 'empty', 'zero', 'one', 'yes', 'no', 'nothing', 'missing', 'tags', 'none', 'user', 'emptyObject', 'numbers']
    .map((x) => [`{{#if ${x}}}yes{{else}}no{{/if}}`]),
  ...['name', 'zero', 'none', 'missing'].map((x) => [`{{#unless ${x}}}yes{{else}}no{{/unless}}`]),
  ['{{#if zero includeZero=true}}yes{{else}}no{{/if}}'], ['{{#if zero includeZero=no}}yes{{else}}no{{/if}}'],
  ['{{#if empty includeZero=true}}yes{{else}}no{{/if}}'], ['{{#if none includeZero=true}}yes{{else}}no{{/if}}'],
  ['{{#unless zero includeZero=true}}yes{{else}}no{{/unless}}'],
  ['{{#if yes}}a{{/if}}b'], ['{{#if no}}a{{/if}}b'], ['{{#if no}}a{{^}}b{{/if}}'], ['{{^if no}}a{{/if}}'],
  ['{{^if yes}}a{{else}}b{{/if}}'], ['{{^unless no}}a{{else}}b{{/unless}}'], ['{{#if no}}a{{ else }}b{{/if}}'],
  ['{{#if no}}a{{else if one}}b{{else}}c{{/if}}'], ['{{#if no}}a{{else if no}}b{{else}}c{{/if}}'],
  ['{{#if yes}}a{{else if one}}b{{else}}c{{/if}}'], ['{{#if no}}a{{else if no}}b{{/if}}c'],
  ['{{#if no}}a{{else if no}}b{{else if one}}c{{else}}d{{/if}}'],
  ['{{#if no}}a{{else unless one}}b{{else}}c{{/if}}'], ['{{#if no}}a{{else each tags}}{{this}} {{/if}}'],
  ['{{#each none}}a{{else if yes}}b{{/each}}'], ['{{#if no}}a{{else with user}}{{name}}{{/if}}'],
  ['{{#if no}}a{{else user}}{{name}}{{/if}}'], ['{{#if no}}a{{else missing}}{{name}}{{else}}c{{/if}}'],
  ['{{#if no}}a{{else each people as |p|}}{{p.name}} {{else}}c{{/if}}'],
  ['{{#if user}}{{user.name}}{{name}}{{/if}}'], ['{{#if yes}}{{#if no}}a{{else}}b{{/if}}{{/if}}'],
  ['{{#if user.address.city}}x{{/if}}'], ['{{#if "text"}}x{{/if}}'], ['{{#if ""}}x{{else}}y{{/if}}'],
  ['{{#if 0}}x{{else}}y{{/if}}'], ['{{#if true}}x{{/if}}'], ['{{#if null}}x{{else}}y{{/if}}'],
  ['{{#if undefined}}x{{else}}y{{/if}}'], ['{{#if this}}x{{/if}}'], ['{{#if @root.name}}x{{/if}}'],
  ['{{#if ../name}}x{{else}}y{{/if}}'], ['{{#if yes}}{{../name}}{{/if}}'], ['{{#if a}}{{this}}{{else}}[{{this}}]{{/if}}', null],
];

const eaches = [
  ['{{#each tags}}{{this}} {{/each}}'], ['{{#each tags}}{{.}} {{/each}}'], ['{{#each tags}}{{{this}}} {{/each}}'],
  ['{{#each none}}a{{else}}b{{/each}}'], ['{{#each missing}}a{{else}}b{{/each}}'], ['{{#each none}}a{{/each}}'],
  ['{{#each emptyObject}}a{{else}}b{{/each}}'], ['{{#each name}}a{{else}}b{{/each}}'], ['{{#each one}}a{{else}}b{{/each}}'],
  ['{{#each yes}}a{{else}}b{{/each}}'], ['{{#each nothing}}a{{else}}b{{/each}}'],
  ['{{#each tags}}{{@index}}:{{@key}}:{{this}};{{/each}}'], ['{{#each tags}}{{@first}}{{@last}} {{/each}}'],
  ['{{#each map}}{{@key}}={{this}};{{/each}}'], ['{{#each map}}{{@index}}{{@first}}{{@last}};{{/each}}'],
  ['{{#each numbered}}{{@key}}={{this}};{{/each}}'], ['{{#each numbers}}{{this}}{{/each}}'],
  ['{{#each flags}}[{{this}}]{{/each}}'], ['{{#each flags}}{{#if this}}t{{else}}f{{/if}}{{/each}}'],
  ['{{#each people}}{{name}} {{/each}}'], ['{{#each people}}{{this.name}}, {{/each}}'], ['{{#each people}}{{../name}} {{/each}}'],
  ['{{#each people}}{{name}}:{{#each tags}}{{this}}{{../name}}{{../../name}} {{/each}};{{/each}}'],
  ['{{#each people}}{{#if age}}{{name}}{{else}}{{../name}}{{/if}} {{/each}}'],
  ['{{#each people}}{{#unless @first}}, {{/unless}}{{name}}{{/each}}'],
  ['{{#each people}}{{#each tags}}{{@../index}}{{@index}} {{/each}}{{@index}}|{{/each}}'],
  ['{{#each people}}{{#each tags}}{{@../../index}}{{/each}}{{/each}}'],
  ['{{#each people}}{{#each tags}}{{#if @last}}{{@../index}}{{/if}}{{/each}}{{/each}}'],
  ['{{#each people}}{{@root.name}}{{/each}}'], ['{{#each people}}{{@root.people.[0].name}}{{/each}}'],
  ['{{#each nested}}[{{#each this}}{{this}},{{/each}}]{{/each}}'], ['{{#each people}}{{boss.name}}{{/each}}'],
  ['{{#each tags as |tag|}}{{tag}} {{/each}}'], ['{{#each tags as |tag i|}}{{i}}:{{tag}} {{/each}}'],
  ['{{#each map as |v k|}}{{k}}={{v}} {{/each}}'], ['{{#each people as |p|}}{{p.name}}{{name}}{{this.name}} {{/each}}'],
  ['{{#each people as |p i|}}{{#each p.tags as |t j|}}{{p.name}}{{i}}{{t}}{{j}} {{/each}}{{/each}}'],
  ['{{#each people as |x|}}{{#each x.tags as |x|}}{{x}}{{/each}}{{/each}}'],
  ['{{#each people as |name|}}{{name.name}}-{{this.name}}-{{./name}} {{/each}}'],
  ['{{#each people as |p|}}{{#with p.boss}}{{p.name}}<{{name}}{{/with}}{{/each}}'],
  ['{{#each people as |p|}}{{#if p.age}}{{p.age}}{{/if}}{{/each}}'], ['{{#each none as |x|}}{{x}}{{else}}none{{/each}}'],
  ['{{#each (lookup this "tags")}}{{this}} {{/each}}'], ['{{#each this}}{{@key}} {{/each}}', { a: 1, b: 2 }],
  ['{{#each this}}{{@key}}{{this}} {{/each}}', ['x', 'y']], ['{{#each @root.tags}}{{this}}{{/each}}'],
  ['{{#each user}}{{@key}} {{/each}}'], ['{{#each people}}{{#each this}}{{@key}}{{@../key}} {{/each}}{{/each}}'],
  ['{{#each a}}{{b}}{{../b}}{{/each}}', { a: [{ b: 1 }, {}], b: 2 }], ['{{#each a}}{{.}}{{/each}}', { a: [[1, 2], ['x']] }],
  ['{{#each a.b}}{{this}}{{/each}}', { a: { b: [1] } }], ['{{#each a}}{{length}}{{/each}}', { a: ['xx', [1]] }],
  ['{{#each people}}{{#with boss}}{{../name}}{{../../name}}{{/with}}{{/each}}'],
  ['{{#each tags}}{{#each ../numbers}}{{..}}{{this}} {{/each}}{{/each}}'],
];

const withs = [
  ['{{#with user}}{{name}}{{/with}}'], ['{{#with user}}{{../name}}{{/with}}'], ['{{#with user.address}}{{city}}{{../name}}{{/with}}'],
  ['{{#with missing}}a{{else}}b{{name}}{{/with}}'], ['{{#with nothing}}a{{else}}b{{/with}}'], ['{{#with empty}}a{{else}}b{{/with}}'],
  ['{{#with none}}a{{else}}b{{/with}}'], ['{{#with zero}}a{{this}}{{else}}b{{/with}}'], ['{{#with no}}a{{else}}b{{/with}}'],
  ['{{#with tags}}{{this.[0]}}{{length}}{{/with}}'], ['{{#with name}}{{this}}{{length}}{{/with}}'], ['{{#with emptyObject}}a{{else}}b{{/with}}'],
  ['{{#with user as |u|}}{{u.name}}{{name}}{{/with}}'], ['{{#with user as |u|}}{{#with u.address as |a|}}{{u.name}}{{a.city}}{{../name}}{{/with}}{{/with}}'],
  ['{{#with user}}{{#with address}}{{../name}}{{../../name}}{{/with}}{{/with}}'], ['{{#with this}}{{name}}{{../name}}{{/with}}'],
  ['{{#with .}}{{name}}{{/with}}'], ['{{#with user}}{{#with this}}{{../name}}{{/with}}{{/with}}'], ['{{^with user}}a{{else}}{{name}}{{/with}}'],
  ['{{#with user}}{{@root.name}}{{/with}}'], ['{{#each people}}{{#with this}}{{@index}}{{name}}{{/with}}{{/each}}'],
  ['{{#with (lookup people 1)}}{{name}}{{/with}}'], ['{{#with "text"}}{{this}}{{/with}}'],
  ['{{#with user as |name|}}{{name.mail}}{{this.name}}{{/with}}'],
];

const sections = [
  ['{{#tags}}{{this}} {{/tags}}'], ['{{#people}}{{name}} {{/people}}'], ['{{#people}}{{@index}}{{@last}} {{/people}}'],
  ['{{#people}}{{../name}}{{/people}}'], ['{{#none}}a{{else}}b{{/none}}'], ['{{#none}}a{{/none}}b'], ['{{#user}}{{name}}{{/user}}'],
  ['{{#user}}{{../name}}{{/user}}'], ['{{#yes}}{{name}}{{/yes}}'], ['{{#no}}{{name}}{{else}}no{{/no}}'], ['{{#nothing}}a{{else}}b{{/nothing}}'],
  ['{{#missing}}a{{else}}b{{/missing}}'], ['{{#zero}}a{{this}}{{else}}b{{/zero}}'], ['{{#empty}}a{{this}}{{else}}b{{/empty}}'],
  ['{{#name}}{{this}}{{/name}}'], ['{{#one}}{{this}}{{../name}}{{/one}}'], ['{{^none}}a{{/none}}'], ['{{^tags}}a{{/tags}}b'],
  ['{{^tags}}a{{else}}{{this}} {{/tags}}'], ['{{^missing}}{{name}}{{/missing}}'], ['{{^yes}}a{{^}}b{{/yes}}'], ['{{#yes}}a{{^}}b{{/yes}}'],
  ['{{#user.address}}{{city}}{{/user.address}}'], ['{{#user/address}}{{city}}{{/user/address}}'], ['{{#this}}{{name}}{{/this}}'],
  ['{{#.}}{{this}} {{/.}}', [1, 2, 3]], ['{{#./user}}{{name}}{{/./user}}'], ['{{#@root.user}}{{name}}{{/@root.user}}'],
  ['{{#people}}{{#tags}}{{this}}{{../name}} {{/tags}}{{/people}}'], ['{{#people}}{{^tags}}{{name}}{{/tags}}{{/people}}'],
  ['{{#people as |p|}}{{p.name}}{{/people}}'], ['{{#people as |p i|}}{{i}}{{p.name}}{{/people}}'], ['{{#[first name]}}{{this}}{{/[first name]}}'],
  ['{{#"first name"}}{{this}}{{/"first name"}}'], ['{{#12}}{{this}}{{/12}}'], ['{{#people}}{{#boss}}{{name}}{{/boss}}{{/people}}'],
  ['{{#user}}{{#address}}{{city}}{{../name}}{{../../name}}{{/address}}{{/user}}'], ['{{#map}}{{a}}{{b}}{{/map}}'], ['{{#nested}}{{this}};{{/nested}}'],
  ['{{#yes}}{{#user}}{{../name}}{{/user}}{{/yes}}'], ['{{#people}}{{#yes}}x{{/yes}}{{#../yes}}{{name}}{{/../yes}}{{/people}}'],
];

const calls = [
  ['{{lookup user "name"}}'], ['{{lookup tags 1}}'], ['{{lookup tags "1"}}'], ['{{lookup tags 9}}'], ['{{lookup missing "x"}}'],
  ['{{lookup name 0}}'], ['{{lookup user missing}}'], ['{{lookup map (lookup tags 9)}}'], ['{{lookup (lookup people 0) "name"}}'],
  ['{{#each people}}{{lookup ../tags @index}} {{/each}}'], ['{{lookup zero "x"}}'], ['{{lookup empty "x"}}'], ['{{lookup no "x"}}'],
  ['{{lookup none "length"}}'], ['{{lookup tags "length"}}'], ['{{lookup . "name"}}'], ['{{lookup @root "name"}}'], ['{{lookup this "first name"}}'],
  ['{{lookup user "constructor"}}'], ['{{{lookup this "html"}}}'], ['{{lookup this "html"}}'], ['{{lookup one "x"}}'],
  ['{{#if (eq name "Ada")}}a{{else}}b{{/if}}'], ['{{#if (eq one 1)}}a{{else}}b{{/if}}'], ['{{#if (eq one "1")}}a{{else}}b{{/if}}'],
  ['{{#if (ne one 2)}}a{{/if}}'], ['{{eq yes true}}'], ['{{eq nothing null}}'], ['{{eq missing undefined}}'], ['{{eq price 12.5}}'],
  ['{{eq negative -0.25}}'], ['{{gt price 12}}{{gte price 12.5}}{{lt price 12}}{{lte price 12.5}}'], ['{{gt "b" "a"}}{{lt "b" "a"}}'],
  ['{{#if (and yes name)}}a{{/if}}'], ['{{#if (and yes none)}}a{{else}}b{{/if}}'], ['{{#if (or no empty zero one)}}a{{/if}}'], ['{{#if (or no none)}}a{{else}}b{{/if}}'],
  ['{{#if (not no)}}a{{/if}}'], ['{{#if (not (not (not no)))}}a{{else}}b{{/if}}'], ['{{#if (and (eq one 1) (gt price 1))}}a{{/if}}'],
  ['{{upper name}}'], ['{{upper (lookup user "name")}}'], ['{{upper "a<b"}}'], ['{{{upper "a<b"}}}'], ["{{upper 'it''s'}}".replace("''", "\\'")],
  ['{{upper "say \\"hi\\""}}'], ['{{upper "back\\\\slash"}}'], ["{{upper 'say \"hi\"'}}"], ['{{upper ""}}'], ['{{ upper   name }}'], ['{{upper\nname}}'],
  ['{{join tags "-"}}'], ['{{join tags ""}}'], ['{{{join tags "<"}}}'], ['{{#each people}}{{join tags "+"}};{{/each}}'], ['{{upper (join tags "|")}}'],
  ['{{default missing "d"}}'], ['{{default empty "d"}}'], ['{{default zero "d"}}'], ['{{default no "d"}}'], ['{{default nothing missing name}}'],
  ['{{#each (default missing tags)}}{{this}}{{/each}}'], ['{{#with (default missing user)}}{{name}}{{/with}}'], ['{{upper [first name]}}'],
  ['{{upper "}}"}}'], ['{{upper "{{"}}'], ['{{upper user.name}}{{upper ../name}}x'], ['{{#each tags}}{{upper this}}{{upper .}}{{/each}}'],
  ['{{#each tags as |t|}}{{upper t}}{{/each}}'], ['{{#each people as |p|}}{{upper p.name}}{{/each}}'], ['{{#if (eq (lookup tags 0) "bug")}}a{{/if}}'],
  ['{{json user}}'], ['{{{json user indent=2}}}'], ['{{{json tags indent=one}}}'], ['{{{json (lookup people 0) indent=(lookup numbers 2)}}}'],
  ['{{truncate "abcdef" 3}}'], ['{{truncate "abcdef" 3 suffix=""}}'], ['{{truncate "abcdef" 4 suffix=".."}}'], ['{{truncate [first name] 5 [suffix]=name}}'],
  ['{{#each tags}}{{truncate this 1 suffix=@index}}{{/each}}'],
];

const whitespace = [
  ['a {{~name}} b'], ['a {{name~}} b'], ['a {{~name~}} b'], ['a \n\t {{~name~}} \n\t b'], ['{{~name~}}'], ['a {{~! c ~}} b'], ['a {{~!-- c --~}} b'],
  ['a {{~{name}~}} b'], ['a {{~&name~}} b'], [' {{~#if yes~}} a {{~/if~}} b'], ['a {{#if yes~}} b {{~/if}} c'], ['a {{~#if yes}} b {{/if~}} c'],
  ['a {{#if no}} b {{~else~}} c {{/if}} d'], ['a {{#if no~}} b {{else}} c {{~/if}} d'], ['a {{#if no}} b {{~^~}} c {{/if}} d'],
  ['{{#if no}} a {{~else if yes~}} b {{~else~}} c {{~/if~}} d'], ['{{#if no}} a {{else if no}} b {{else}} c {{~/if}} d'],
  ['{{#if no}} a {{else if yes}} b {{else}} c {{~/if}} d'], ['{{#if yes}} a {{else if yes~}} b {{~/if}} d'], ['{{#if no}} a {{else if yes~}} b {{~/if}} d'],
  ['{{#each tags~}} {{this}} {{~/each}}'], ['{{#each tags}} {{~this~}} {{/each}}'], ['{{~#each tags~}} {{this}} {{~else~}} x {{~/each~}}'],
  ['{{^none~}} a {{~/none}} b'], [' {{~^none}} a {{/none~}} b'], ['a\n{{#if yes}}\nb\n{{/if}}\nc'], ['a\n  {{#if yes}}  \n  b\n  {{/if}}  \nc'],
  ['a\n{{#if no}}\nb\n{{else}}\nc\n{{/if}}\nd'], ['a\n {{#if no}} \nb\n {{else}} \nc\n {{/if}} \nd'], ['a\r\n{{#if yes}}\r\nb\r\n{{/if}}\r\nc'],
  ['{{#if yes}}\na\n{{/if}}'], ['{{#if yes}}\na\n{{/if}}\n'], ['\n{{#if yes}}\na\n{{/if}}\n'], ['  {{#if yes}}\na\n  {{/if}}'], ['x {{#if yes}}\na\n{{/if}}'],
  ['{{#if yes}} x\na\n{{/if}}'], ['{{#if yes}}\na\n{{/if}} x'], ['{{#if yes}}\na\nx {{/if}}\n'], ['{{#each tags}}\n- {{this}}\n{{/each}}\nend'],
  ['list:\n{{#each people}}\n  {{name}}\n  {{#each tags}}\n    {{this}}\n  {{/each}}\n{{/each}}\nend'], ['{{#each tags}}\n{{this}}\n{{else}}\nnone\n{{/each}}'],
  ['{{#each none}}\n{{this}}\n{{else}}\nnone\n{{/each}}'], ['{{#if no}}\na\n{{else if yes}}\nb\n{{else}}\nc\n{{/if}}\nd'], ['{{#if no}}\na\n{{else if no}}\nb\n{{else}}\nc\n{{/if}}\nd'],
  ['{{#if yes}}\na\n{{else if no}}\nb\n{{/if}}\nd'], ['{{#if no}}\na\n{{else if yes}}\nb\n{{else if no}}\nc\n{{/if}}\nd'], ['{{#if no}}\n  a\n{{else if yes}}  \n  b\n  {{/if}}  \nd'],
  ['a\n{{! comment }}\nb'], ['a\n  {{! comment }}  \nb'], ['a\n{{!-- comment --}}\nb'], ['{{! comment }}\na'], ['a\n{{! comment }}'], ['a {{! comment }}\nb'], ['a\n{{! c }} b'],
  ['a\n{{! c }}{{! d }}\nb'], ['a\n{{name}}\nb'], ['  {{name}}  \n'], ['a\n{{^none}}\nb\n{{/none}}\nc'], ['a\n{{#tags}}\n{{this}}\n{{/tags}}\nc'], ['a\n{{^tags}}\nx\n{{else}}\ny\n{{/tags}}\nc'],
  ['{{#if yes}}{{#if yes}}\na\n{{/if}}{{/if}}'], ['{{#if yes}}\n{{#if yes}}\na\n{{/if}}\n{{/if}}\n'], ['{{#if yes}}\n{{/if}}'], ['{{#if yes}}\n\n{{/if}}\n'], ['{{#if yes}}\n \n{{/if}}\nx'],
  ['\n\n{{#if yes}}\n\na\n\n{{/if}}\n\n'], ['{{#if yes}}\n{{name}}\n{{/if}}\n{{#if yes}}\n{{name}}\n{{/if}}\n'], ['a\n\t{{#if yes}}\t\nb\n\t{{/if}}\nc'], ['a\n\u00a0{{#if yes}}\nb\n{{/if}}\nc'],
  ['{{#with user}}\n{{name}}\n{{/with}}\n'], ['a\n{{~#if yes~}}\nb\n{{~/if~}}\nc'], ['a \n{{#if yes}}\nb\n{{~/if}}\nc'], ['{{#if yes}} {{/if}}'], ['{{#if yes}}a {{~/if}} b'], ['a\n{{#if no}}\nb\n{{/if}}'],
  ['\u2028{{~name~}}\ufeff'], ['{{name}}\n{{name}}\n'], ['{{#if no}}\n{{else}}\n{{/if}}\nx'], ['{{#if yes}}\nx{{else}}\ny\n{{/if}}\nz'], ['{{#if no}}\nx\n{{else}}y\n{{/if}}\nz'],
  ['1\n{{#each numbers}}\n  {{#if this}}\n    {{this}}\n  {{/if}}\n{{/each}}\n2'], ['a{{#if yes}}\nb\n{{/if}}c'], ['{{#unless yes}}\na\n{{else}}\nb\n{{/unless}}\n'],
];

const comments = [
  ['a{{! x }}b'], ['a{{!x}}b'], ['a{{!}}b'], ['a{{!-- x --}}b'], ['a{{!-- {{name}} --}}b'], ['a{{!-- }} --}}b'], ['a{{! {{ }}b'], ['a{{!----}}b'], ['a{{!--}}b'],
  ['a{{!-- - -- x --}}b'], ['a{{!- x -}}b'], ['a{{! x --}}b'], ['{{! only }}'], ['{{! a }}{{name}}{{! b }}'], ['a{{!\nx\n}}b'], ['a{{! "quotes\' }}b'], ['a{{!-- x --}}{{!-- y --}}b'],
];

const raws = [
  ['{{{{raw}}}}{{name}}{{{{/raw}}}}'], ['a {{{{raw}}}} {{name}} {{{{/raw}}}} b'], ['{{{{raw}}}}{{{html}}}{{#if}}{{{{/raw}}}}'], ['{{{{raw}}}}{{{{/raw}}}}'],
  ['{{{{raw}}}}\n{{name}}\n{{{{/raw}}}}\n'], ['a\n{{{{raw}}}}\n{{name}}\n{{{{/raw}}}}\nb'], ['{{{{ raw }}}}x{{{{/raw}}}}'], ['{{{{raw}}}} {{{{inner}}}} x {{{{/inner}}}} {{{{/raw}}}}'],
  ['{{{{raw}}}}\\{{name}}{{{{/raw}}}}'], ['{{{{raw}}}}{{{{/raw}}}}{{name}}'], ['{{{{if yes}}}}{{name}}{{{{/if}}}}'], ['{{{{if no}}}}{{name}}{{{{/if}}}}'], ['{{{{user}}}}{{name}}{{{{/user}}}}'],
  ['{{{{missing}}}}{{name}}{{{{/missing}}}}'], ['{{{{tags}}}}{{x}}{{{{/tags}}}}'], ['{{name}}{{{{raw}}}}<{{{{/raw}}}}{{name}}'],
];

const texts = [
  [''], ['text'], ['a\nb\n'], ['{"a": "{{name}}", "b": {{one}} }'], ['# {{name}}\n\n* {{#each tags}}{{this}} {{/each}}'], ['{{name}} <{{user.mail}}>'],
  ['{{#each people}}{{#unless @first}}, {{/unless}}{{name}}{{#if age}} ({{age}}){{/if}}{{/each}}'],
  ['Status is {{user.address.city}}'], ['{{#if (eq name "Ada")}}Webhook{{else}}Other{{/if}}'], ['Items: {{#each people}}{{this.name}}, {{/each}}'],
  ['{{#each people}}{{#if @first}}<ul>{{/if}}<li>{{name}}</li>{{#if @last}}</ul>{{/if}}{{/each}}'],
  ['ä{{name}}ö{{ü}}'], ['{{#each map}}{{@key}}{{#unless @last}}&{{/unless}}{{/each}}'],
];

export const groups = {
  values, escaping, ifs, eaches, withs, sections, calls, whitespace, comments, raws, texts,
};
