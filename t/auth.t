# Who may call: keys, scopes, disabled accounts, and that no account sees what is another's.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: a request without a key is refused
--- request
GET /v1/senders
--- error_code: 401
--- response_headers
Content-Type: application/json
--- response_body_like eval
qr/\A\{"errors":\[\{"timestamp":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","path":"\/v1\/senders","method":"GET","status":401,"message":"[^"]+","code":1001\}\]\}\z/


=== TEST 2: an unknown key is refused
--- request
GET /v1/senders
--- more_headers
X-Dexatel-Key: no-such-key
--- error_code: 401
--- response_body_like: "code":1002\}


=== TEST 3: a key is looked for before the path, the method and the body
--- check
refused(nobody()->get('/nothing'), 401, 1001, 'unknown path');
refused(nobody()->post('/senders', '{'), 401, 1001, 'broken body');
refused(nobody('')->get('/senders'), 401, 1001, 'an empty key is none');
refused(nobody('k' x 256)->get('/senders'), 401, 1002, 'a long key');
refused(nobody('k' x 257)->get('/senders'), 401, 1002, 'a longer one');
my $key = account()->key;
refused(nobody(substr $key, 0, -1)->get('/senders'), 401, 1002, 'a part of a key');
refused(nobody(lc $key)->get('/senders'), 401, 1002, 'a key in another case') if lc $key ne $key;
answered(nobody($key)->get('/senders', 'x-dexatel-key' => $key), 200, "the header's name in another case");


=== TEST 4: a disabled account may do nothing, until it is active again
--- check
my $a = account();
answered($a->get('/senders'), 200, 'active');
answered(admin()->put('/accounts/' . $a->id, { status => 'disabled' }), 200, 'disable');
refused($a->get('/senders'), 403, 1003, 'GET');
refused($a->post('/senders', { name => 'Acme', channel => 'SMS' }), 403, 1003, 'POST');
answered(admin()->put('/accounts/' . $a->id, { status => 'active' }), 200, 'enable');
is($a->get('/senders')->page->{total}, 0, 'nothing was created meanwhile');


=== TEST 5: a key of scope read sees all and changes nothing
--- check
my $a = account();
my $sender = $a->sender();
my $audience = $a->audience();
my $template = $a->template();
my $campaign = $a->campaign();
my $r = admin()->post('/accounts/' . $a->id . '/keys', { scope => 'read' });
answered($r, 201, 'key');
my $reader = nobody($r->data->{api_key});
for ("senders/$sender->{id}", "audiences/$audience->{id}", "audiences/$audience->{id}/contacts", "templates/$template->{id}",
     "campaigns/$campaign->{id}", 'senders', 'audiences', 'templates', 'campaigns') {
    answered($reader->get("/$_"), 200, "GET $_");
}
refused($reader->post("/$_", {}), 403, 1016, "POST $_") for qw(senders audiences templates campaigns), "audiences/$audience->{id}/contacts";
refused($reader->put("/campaigns/$campaign->{id}", { name => 'other' }), 403, 1016, 'PUT campaign');
refused($reader->patch("/campaigns/$campaign->{id}", { status => 'canceled' }), 403, 1016, 'PATCH campaign');
refused($reader->delete("/campaigns/$campaign->{id}"), 403, 1016, 'DELETE campaign');
is_deeply($a->get("/campaigns/$campaign->{id}")->data, $campaign, 'the campaign is as it was');
is($a->get("/$_")->page->{total}, 1, "no more $_") for qw(senders audiences templates campaigns);


=== TEST 6: a key that has expired is unknown
--- check
my $a = account();
my ($s, $m, $h, $d, $mon, $y) = gmtime(time + 2);
my $r = admin()->post('/accounts/' . $a->id . '/keys', { expire_date => sprintf '%d-%02d-%02d %02d:%02d:%02d', $y + 1900, $mon + 1, $d, $h, $m, $s });
answered($r, 201, 'key');
my $expiring = nobody($r->data->{api_key});
answered($expiring->get('/senders'), 200, 'it works');
ok(wait_for(sub { $expiring->get('/senders')->status == 401 }), 'then it does not any more');
refused($expiring->get('/senders'), 401, 1002, 'expired');
answered($a->get('/senders'), 200, "the account's other key does");


=== TEST 7: another account's objects are unknown
--- check
my ($a, $b) = (account(), account());
my $sender = $a->sender();
my $audience = $a->audience();
my $template = $a->template();
my $campaign = $a->campaign();
my $contact = $a->get("/audiences/$audience->{id}/contacts")->data->[0];
refused($b->get("/senders/$sender->{id}"), 404, 1151, 'sender');
refused($b->get("/templates/$template->{id}"), 404, 1251, 'template');
refused($b->get("/audiences/$audience->{id}"), 404, 1301, 'audience');
refused($b->get("/audiences/$audience->{id}/contacts"), 404, 1301, 'contacts');
refused($b->get("/audiences/$audience->{id}/contacts/$contact->{id}"), 404, 1351, 'contact');
refused($b->get("/campaigns/$campaign->{id}"), 404, 1601, 'campaign');
refused($b->post("/audiences/$audience->{id}/contacts", { number => '15550000000' }), 404, 1301, 'a contact into it');
refused($b->put("/campaigns/$campaign->{id}", { status => 'canceled' }), 404, 1601, 'cancel');
refused($b->delete("/campaigns/$campaign->{id}"), 404, 1601, 'delete');
is($b->get("/$_")->page->{total}, 0, "no $_ in the other's list") for qw(senders audiences templates campaigns);
is_deeply($a->get("/campaigns/$campaign->{id}")->data, $campaign, 'the campaign is as it was');
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 1, 'the audience too');


=== TEST 8: another account's objects cannot be referred to
--- check
my ($a, $b) = (account(), account());
$a->sender();
my $audience = $a->audience();
my $template = $a->template();
my $r = $b->post('/campaigns', { from => 'Acme', audience => $audience->{id}, template => $template->{id}, channel => 'SMS' });
refused($r, 400, [1606, 1608], 'audience and template');
refused($b->post('/campaigns', { from => 'Acme', to => ['15551234567'], text => 'Hello', channel => 'SMS' }), 400, 1604, 'sender');
is($b->get('/campaigns')->page->{total}, 0, 'no campaign');


=== TEST 9: a page token of another account is refused
--- check
my ($a, $b) = (account(), account());
for my $owner ($a, $b) {
    $owner->sender(name => "S$_") for 1 .. 3;
    $owner->template() for 1 .. 3;
}
my ($token) = $a->get('/senders?page_size=1')->page->{links}{next} =~ /page_token=(.+)$/;
answered($a->get("/senders?page_size=1&page_token=$token"), 200, 'its owner may');
refused($b->get("/senders?page_size=1&page_token=$token"), 400, 1009, 'another account may not');
refused($a->get("/templates?page_size=1&page_token=$token"), 400, 1009, 'nor may another list');
refused($a->get("/senders?page_size=1&filter[channel]=SMS&page_token=$token"), 400, 1009, 'nor another filter');
(my $forged = $token) =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/e;
refused($a->get("/senders?page_token=$forged"), 400, 1009, 'one character changed');
refused($a->get("/senders?page_token=$_"), 400, 1009, "token $_") for 'x', "${token}A", '%00' x 32;


=== TEST 10: the key of an account opens no administration, and the administration no account
--- check
my $a = account();
refused($a->get('/accounts'), 404, 1004, 'accounts are not below the API');
refused(nobody()->get('/accounts'), 401, 1001, 'nor without a key');
refused(admin()->get('/senders'), 404, 1004, "an account's objects are not below the administration");
