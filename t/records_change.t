# Audiences, templates, senders, accounts and keys changed and deleted; filters of lists.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

sub names { join ' ', map { $_->{name} } @{ $_[0]->data } }

# a campaign that is not finished
sub busy {
    my ($a, %more) = @_;
    return $a->make('/campaigns', { from => 'Acme', channel => 'SMS', text => 'Hi', schedule => '2100-01-01 00:00:00', %more });
}

run_tests();

__DATA__

=== TEST 1: an audience is renamed
--- check
my $a = account();
my ($one, $two) = map { $a->audience(name => $_) } qw(one two);
my $path = "/audiences/$one->{id}";

my $r = $a->put($path, { name => 'first', channel => 'VIBER', contacts_count => 9, id => $two->{id}, contacts => [] });
answered($r, 200, 'renamed');
is_deeply({ %{ $r->data }, update_date => 0 }, { %$one, name => 'first', update_date => 0 }, 'and nothing else');
is_deeply($a->get($path)->data, $r->data, 'stored');
refused($a->put($path, { name => 'two' }), 409, 1309, 'the name is taken');
answered($a->patch($path, { name => 'first' }), 200, 'its own is not');
answered($a->post('/audiences', { name => 'one', channel => 'SMS' }), 201, 'the old one is free');
is_deeply($a->put($path, {})->data->{name}, 'first', 'nothing given');
refused($a->put($path, { name => '' }), 400, 1303, 'empty');
refused($a->put($path, { name => 'a/b' }), 400, 1304, 'wrong');
refused($a->put($path, { name => 'x' x 46 }), 400, 1305, 'too long');
refused($a->put('/audiences/1', { name => 'x' }), 400, 1302, 'no UUID');
refused(account()->put($path, { name => 'x' }), 404, 1301, "another account's");
refused(account()->put($path, {}), 404, 1301, "another account's, nothing given");


=== TEST 2: an audience is deleted with its contacts, unless a campaign needs it
--- check
my $a = account();
$a->sender;
my $audience = $a->audience(name => 'one');
my $path = "/audiences/$audience->{id}";
my $c = busy($a, audience => $audience->{id});

refused($a->delete($path), 409, 1310, 'a scheduled campaign');
refused(account()->delete($path), 404, 1301, "another account's");
answered($a->put("/campaigns/$c->{id}", { status => 'canceled' }), 200, 'which is canceled');
answered($a->delete($path), 204, 'deleted');
refused($a->get($path), 404, 1301, 'gone');
refused($a->get("$path/contacts"), 404, 1301, 'with its contacts');
refused($a->delete($path), 404, 1301, 'once');
refused($a->delete('/audiences/x'), 400, 1302, 'no UUID');
is($a->get('/audiences')->page->{total}, 0, 'not listed');
answered($a->post('/audiences', { name => 'one', channel => 'SMS' }), 201, 'its name is free');


=== TEST 3: a template's name and text are changed, campaigns keep the text they have
--- check
my $a = account();
$a->sender;
my ($one, $two) = map { $a->template(name => $_) } qw(one two);
my $path = "/templates/$one->{id}";

my $r = $a->put($path, { text => 'Hi {last_name}' });
answered($r, 200, 'text');
is_deeply([@{ $r->data }{qw(name text channel status)}], ['one', 'Hi {last_name}', 'SMS', 'COMPLETED'], 'and nothing else');
is_deeply($a->patch($path, { name => 'first' })->data->{name}, 'first', 'name');
is_deeply([@{ $a->get($path)->data }{qw(name text)}], ['first', 'Hi {last_name}'], 'stored');
refused($a->put($path, { name => 'two', text => 'other' }), 409, 1258, 'the name is taken');
is($a->get($path)->data->{text}, 'Hi {last_name}', 'and then the text stays, too');
refused($a->put($path, { name => 'x' x 46, text => '{nobody}' }), 400, [1255, 1263], 'all mistakes in one reply');
refused($a->put($path, { text => '' }), 400, 1254, 'no text');
refused($a->put($path, { text => 'x' x 1001 }), 400, 1260, 'too long');
refused($a->put($path, { name => 5 }), 400, 1259, 'no name');
refused($a->put('/templates/1', {}), 400, 1252, 'no UUID');
refused(account()->put($path, { text => 'x' }), 404, 1251, "another account's");


=== TEST 4: a template is deleted whoever used it, a sender only when nobody does
--- check
my $a = account();
my $sender = $a->sender;
my $template = $a->template;
my $audience = $a->audience;
my $c = busy($a, text => undef, template => $template->{id}, audience => $audience->{id});

answered($a->delete("/templates/$template->{id}"), 204, 'template');
refused($a->delete("/templates/$template->{id}"), 404, 1251, 'once');
refused($a->delete("/senders/$sender->{id}"), 409, 1158, 'sender of a scheduled campaign');
answered($a->put("/campaigns/$c->{id}", { status => 'canceled' }), 200, 'which is canceled');
refused(account()->delete("/senders/$sender->{id}"), 404, 1151, "another account's");
answered($a->delete("/senders/$sender->{id}"), 204, 'sender');
refused($a->get("/senders/$sender->{id}"), 404, 1151, 'gone');
refused($a->delete('/senders/1'), 400, 1152, 'no UUID');
refused($a->delete('/templates/1'), 400, 1252, 'no UUID');
my ($allow) = $a->put("/senders/$audience->{id}", {})->header('allow');
is($allow, 'GET, HEAD, DELETE, OPTIONS', 'a sender is not changed');


=== TEST 5: an account is deleted with its keys when it owns nothing else
--- check
my $a = account();
my $admin = admin();
my $path = '/accounts/' . $a->id;
my $sender = $a->sender;
refused($admin->delete($path), 409, 1914, 'a sender is left');
answered($a->delete("/senders/$sender->{id}"), 204, 'which goes');
answered($admin->delete($path), 204, 'deleted');
refused($admin->get($path), 404, 1901, 'gone');
refused($a->get('/senders'), 401, 1002, 'its key is none any more');
refused($admin->delete($path), 404, 1901, 'once');
refused($admin->delete('/accounts/1'), 400, 1902, 'no UUID');


=== TEST 6: keys are listed without what they are, and deleted one by one
--- check
my $a = account();
my $b = account();
my $admin = admin();
my $keys = '/accounts/' . $a->id . '/keys';
my $made = $admin->post($keys, { scope => 'read', expire_date => '2100-01-01 00:00:00' })->data;

my $r = $admin->get($keys);
answered($r, 200, 'listed');
is($r->page->{total}, 2, 'two');
my ($new, $first) = @{ $r->data };
is_deeply($new, { map { $_ => $made->{$_} } grep { $_ ne 'api_key' } keys %$made }, 'newest first');
is($first->{scope}, 'full', 'the first one');
unlike($r->body, qr/api_key|\Q@{[ $a->key ]}\E/, 'no key is shown');
is($admin->get("$keys?page_size=1")->page->{links}{next} =~ /page_token/, 1, 'page by page');

refused($admin->delete('/accounts/' . $b->id . "/keys/$new->{id}"), 404, 1912, "not another account's");
answered($admin->delete("$keys/$new->{id}"), 204, 'deleted');
refused(nobody($made->{api_key})->get('/senders'), 401, 1002, 'and it opens nothing any more');
answered($a->get('/senders'), 200, 'the other one does');
refused($admin->delete("$keys/$new->{id}"), 404, 1912, 'once');
refused($admin->delete("$keys/1"), 400, 1913, 'no UUID');
refused($admin->get('/accounts/00000000-0000-4000-8000-000000000000/keys'), 404, 1901, 'no such account');
refused($admin->delete("/accounts/00000000-0000-4000-8000-000000000000/keys/$first->{id}"), 404, 1901, 'nor to delete from');
is($admin->put("$keys/$first->{id}", {})->header('allow'), 'DELETE, OPTIONS', 'a key is not changed');


=== TEST 7: filter[name] is a prefix, exact in case, together with other filters
--- check
my $a = account();
$a->sender(name => 'Acme');
for my $path (qw(audiences templates)) {
    my %more = $path eq 'audiences' ? () : (text => 'x');
    $a->make("/$path", { name => $_, channel => /V/ ? 'VIBER' : 'SMS', %more }) for qw(ab-1 b-1 ab-V ab-2 Ab-3 a);
    my $r = $a->get("/$path?filter[name]=ab");
    is(names($r), 'ab-2 ab-V ab-1', $path);
    is($r->page->{total}, 3, "$path: total");
    is(names($a->get("/$path?filter[name]=ab&filter[channel]=SMS")), 'ab-2 ab-1', "$path: and channel");
    is(names($a->get("/$path?filter[name]=zz")), '', "$path: none");
    is(names($a->get("/$path?filter[name]=")), 'a Ab-3 ab-2 ab-V b-1 ab-1', "$path: an empty filter is none");
    $r = $a->get("/$path?page_size=1&filter%5Bname%5D=ab");
    $r = $a->get($r->page->{links}{next});
    is(names($r), 'ab-V', "$path: next page");
    is($r->page->{number}, 2, "$path: its number");
    is(names($a->get($r->page->{links}{previous})), 'ab-2', "$path: previous page");
    is(names($a->get($r->page->{links}{next})), 'ab-1', "$path: last page");
}
busy($a, name => $_, to => ['15551234567']) for 'x 1', 'x 2', 'y';
is(names($a->get('/campaigns?filter[name]=x%20&filter[status]=scheduled&filter[channel]=sms')), 'x 2 x 1', 'campaigns');
is($a->get('/campaigns?filter[name]=x+&filter[status]=Scheduled')->page->{links}{first},
   '/v1/campaigns?page_size=20&filter%5Bstatus%5D=scheduled&filter%5Bname%5D=x%20', 'links repeat filters, escaped');
is(names($a->get('/campaigns?filter[name]=x&filter[status]=canceled')), '', 'of another status');
refused($a->get('/audiences?filter[name]=' . 'x' x 46), 400, 1009, 'too long');


=== TEST 8: senders by status and type, templates by status
--- check
my $a = account();
$a->sender(name => $_) for qw(Acme 15551234567 12345 Bcme);
is(names($a->get('/senders?filter[type]=ALPHANUMERIC')), 'Bcme Acme', 'letters');
is(names($a->get('/senders?filter[type]=long_code')), '15551234567', 'long codes, any case');
my $r = $a->get('/senders?page_size=1&filter[type]=ALPHANUMERIC&filter[status]=active');
is($r->page->{total}, 2, 'total');
is($r->page->{links}{current}, '/v1/senders?page_size=1&filter%5Bstatus%5D=ACTIVE&filter%5Btype%5D=ALPHANUMERIC', 'links');
is(names($a->get($r->page->{links}{next})), 'Acme', 'next page');
my ($token) = $r->page->{links}{next} =~ /page_token=(.*)/;
refused($a->get("/senders?filter[type]=SHORT_CODE&page_token=$token"), 400, 1009, 'a token of another type');
refused($a->get('/senders?filter[type]=FAX'), 400, 1009, 'no type');
refused($a->get('/senders?filter[status]=GONE'), 400, 1009, 'no status');
$a->template(name => 't');
is(names($a->get('/templates?filter[status]=COMPLETED')), 't', 'templates');
$r = $a->get('/templates?filter[status]=nope&filter[channel]=FAX&page_size=0');
refused($r, 400, [1009, 1009, 1009], 'all mistakes in one reply');


=== TEST 9: a key that only reads changes and deletes nothing
--- check
my $a = account();
my $read = nobody(admin()->post('/accounts/' . $a->id . '/keys', { scope => 'read' })->data->{api_key});
my $audience = $a->audience;
my $c = $a->get("/audiences/$audience->{id}/contacts")->data->[0];
my $template = $a->template;
my $sender = $a->sender;
for my $path ("/audiences/$audience->{id}", "/audiences/$audience->{id}/contacts/$c->{id}", "/templates/$template->{id}") {
    refused($read->$_($path, { name => 'x' }), 403, 1016, "$_ $path") for qw(put patch);
    refused($read->delete($path), 403, 1016, "DELETE $path");
    answered($read->get($path), 200, "GET $path");
}
refused($read->delete("/senders/$sender->{id}"), 403, 1016, 'DELETE sender');
