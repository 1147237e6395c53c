# Campaigns: created, shown, listed, changed, cancelled, deleted.  Nothing is dispatched here, so that they stay as they are.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

# an account with all that a campaign refers to
sub ready {
    my $a = account();
    $a->sender(name => 'Acme');
    my $audience = $a->audience(contacts => [map { 15551234560 + $_ . '' } 1 .. 3]);
    my $template = $a->template();
    return ($a, { from => 'Acme', audience => $audience->{id}, template => $template->{id} });
}

# names on a page
sub names { join ' ', map { $_->{name} } @{ shift->data } }

# a date so many seconds from now
sub in_seconds {
    my ($s, $m, $h, $d, $mon, $y) = gmtime(time + $_[0]);
    return sprintf '%d-%02d-%02d %02d:%02d:%02d', $y + 1900, $mon + 1, $d, $h, $m, $s;
}

run_tests();

__DATA__

=== TEST 1: a campaign of template and audience is shown as the contract has it
--- check
my ($a, $data) = ready();
my $r = $a->post('/campaigns', { %$data, name => 'Spring', channel => 'sms', schedule => '2099-12-31 23:59:59', payload => 'p"1' });
answered($r, 201, 'created');
my $c = $r->data;
like($c->{id}, uuid(), 'id');
is_deeply({ map { $_ => $c->{$_} } qw(account_id template_id audience_id name from status schedule channel payload) },
          { account_id => $a->id, template_id => $data->{template}, audience_id => $data->{audience}, name => 'Spring', from => 'Acme',
            status => 'scheduled', schedule => '2099-12-31 23:59:59', channel => 'SMS', payload => 'p"1' }, 'fields');
is_deeply($c->{messages}, { total => 3, pending => 3, enroute => 0, sent => 0, delivered => 0, failed => 0, canceled => 0, skipped => 0 }, 'messages');
is_deeply({ map { $_ => $c->{links}{$_} } qw(self account template audience contacts) },
          { self => "/v1/campaigns/$c->{id}", account => '/v1/accounts/' . $a->id, template => "/v1/templates/$data->{template}",
            audience => "/v1/audiences/$data->{audience}", contacts => "/v1/audiences/$data->{audience}/contacts" }, 'links');
like($c->{create_date}, qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'create_date');
is_deeply($a->get("/campaigns/$c->{id}")->data, $c, 'read back it is the same');
is_deeply($a->get('/campaigns/' . uc $c->{id})->data, $c, 'by its identifier in upper case too');


=== TEST 2: a campaign of text and numbers needs neither template nor audience
--- check
my $a = account();
$a->sender();
my @to = ('15551234561', '+15551234562', { number => '15551234563', first_name => 'Ann' }, '15551234561');
my $r = $a->post('/campaigns', { from => 'Acme', channel => 'SMS', text => "Hello\n{first_name|friend}", to => \@to });
answered($r, 201, 'created');
my $c = $r->data;
is($c->{messages}{total}, 3, 'a double is dropped');
is_deeply([@$c{qw(template_id audience_id schedule)}], [undef, undef, undef], 'null where there is nothing');
isnt($c->{name} // '', '', 'a name is assigned');
ok(!(grep { exists $c->{links}{$_} } qw(template audience contacts)), 'no links to what is not there');


=== TEST 3: template and numbers, text and audience go together too
--- check
my ($a, $data) = ready();
answered($a->post('/campaigns', { from => 'Acme', template => $data->{template}, to => ['15551234567'] }), 201, 'template and numbers');
answered($a->post('/campaigns', { from => 'Acme', audience => $data->{audience}, text => 'Hi' }), 201, 'text and audience');
my $r = $a->post('/campaigns', { %$data, text => 'Hi', to => ['15551234567'] });
refused($r, 400, [1606, 1608], 'both of each');
refused($a->post('/campaigns', { from => 'Acme', to => ['15551234567'], text => 'Hi' }), 400, 1619, 'numbers and text have no channel of their own');


=== TEST 4: all wrong fields of a campaign come in one reply, by code
--- check
my ($a, $data) = ready();
refused($a->post('/campaigns', {}), 400, [1603, 1605, 1607], 'nothing given');
refused($a->post('/campaigns', { name => 'x' x 46, from => 'x' x 17, audience => 'x', template => 5, channel => 'PIGEON', schedule => 'soon',
                                 validity => 0, payload => 'x' x 501 }),
        400, [1604, 1606, 1608, 1609, 1614, 1619, 1621, 1622], 'all wrong');
refused($a->post('/campaigns', { %$data, name => 5, schedule => 5, payload => 5, validity => '5', channel => 5 }), 400, [1609, 1619, 1621, 1622, 1623], 'no strings, no number');
my $none = '00000000-0000-4000-8000-000000000001';
refused($a->post('/campaigns', { from => 'Acme', audience => $none, template => $none }), 400, [1606, 1608], 'unknown ones');
refused($a->post('/campaigns', { %$data, from => 'Nobody' }), 400, 1604, 'no such sender');
refused($a->post('/campaigns', { %$data, validity => $_ }), 400, 1622, "validity $_") for -1, 604801, 1.5;
refused($a->post('/campaigns', { from => 'Acme', audience => $data->{template}, template => $data->{audience} }), 400, [1606, 1608], 'one for the other');
is($a->get('/campaigns')->page->{total}, 0, 'none was created');


=== TEST 5: an inline text is checked as a template is
--- check
my $a = account();
$a->sender();
my %data = (from => 'Acme', channel => 'SMS', to => ['15551234567']);
refused($a->post('/campaigns', { %data, text => 'Hi {nickname}' }), 400, 1620, 'unknown placeholder');
refused($a->post('/campaigns', { %data, text => 'é' x 1001 }), 400, 1620, '1001 characters');
refused($a->post('/campaigns', { %data, text => '{' . 'x' x 1000 }), 400, 1620, 'both, told once');
refused($a->post('/campaigns', { %data, text => '' }), 400, 1607, 'empty');
refused($a->post('/campaigns', { %data, text => ['Hi'] }), 400, 1620, 'no string');
answered($a->post('/campaigns', { %data, text => 'é' x 1000 }), 201, '1000 characters');


=== TEST 6: bad numbers refuse the campaign, and are named
--- check
my $a = account();
$a->sender();
my %data = (from => 'Acme', channel => 'SMS', text => 'Hi');
my $r = $a->post('/campaigns', { %data, to => ['15551234567', 'x', '15551234568', { number => '0555123456' }] });
refused($r, 400, [1618, 1618], 'two bad ones');
is_deeply([sort map { /(data\.to\[\d+\])/ } $r->messages], ['data.to[1]', 'data.to[3]'], 'by their places');
refused($a->post('/campaigns', { %data, to => $_ }), 400, 1618, 'to ' . json($_)) for '15551234567', {}, [], 5, [[]], [5];
is($a->get('/campaigns')->page->{total}, 0, 'none was created');


=== TEST 7: an audience without contacts is refused
--- check
my ($a, $data) = ready();
my $empty = $a->audience(contacts => []);
my $r = $a->post('/campaigns', { %$data, audience => $empty->{id} });
refused($r, 400, 1606, 'empty');
like(($r->messages)[0], qr/no contacts/, 'and the message says so');


=== TEST 8: a schedule is a date in the future
--- check
my ($a, $data) = ready();
refused($a->post('/campaigns', { %$data, schedule => '2020-01-01 00:00:00' }), 400, 1522, 'past');
refused($a->post('/campaigns', { %$data, schedule => in_seconds(-1) }), 400, 1522, 'a second ago');
refused($a->post('/campaigns', { from => undef, schedule => '2020-01-01 00:00:00' }), 400, [1522, 1603, 1605, 1607], 'beside other errors');
refused($a->post('/campaigns', { %$data, schedule => $_ }), 400, 1609, "schedule $_")
    for 'tomorrow', '2099-02-29 00:00:00', '2099-13-01 00:00:00', '2099-01-01', '2099-01-01 24:00:00', '2099-01-01T00:00:00', '01.01.2099 00:00', '';
my %shown = ('2099-01-01 00:00:00' => '2099-01-01 00:00:00', '2099-01-01T00:00:00Z' => '2099-01-01 00:00:00',
             '2099-01-01T00:00:00.123+02:00' => '2098-12-31 22:00:00', '2096-02-29T23:00:00-02:00' => '2096-03-01 01:00:00');
is($a->post('/campaigns', { %$data, schedule => $_ })->data->{schedule}, $shown{$_}, "schedule $_") for sort keys %shown;


=== TEST 9: channels of campaign, audience, template and sender fit together
--- check
my ($a, $sms) = ready();
$a->sender(name => 'Violet', channel => 'VIBER');
my $viber = { audience => $a->audience(channel => 'VIBER')->{id}, template => $a->template(channel => 'VIBER')->{id} };
refused($a->post('/campaigns', { from => 'Acme', audience => $sms->{audience}, template => $viber->{template} }), 400, 1613, 'audience and template differ');
refused($a->post('/campaigns', { %$sms, template => $viber->{template}, channel => 'SMS' }), 400, 1616, 'template is of another channel');
refused($a->post('/campaigns', { %$sms, audience => $viber->{audience}, channel => 'sms' }), 400, 1617, 'audience is of another channel');
refused($a->post('/campaigns', { %$sms, channel => 'VIBER' }), 400, [1616, 1617], 'both are');
refused($a->post('/campaigns', { %$sms, from => 'Violet' }), 400, 1604, 'sender is of another channel');
is($a->post('/campaigns', { %$viber, from => 'Violet' })->data->{channel}, 'VIBER', 'without a channel it is theirs');
refused($a->post('/campaigns', { %$sms, channel => 'WHATSAPP' }), 400, 1619, 'a channel without a gateway');


=== TEST 10: a name is unique in its account
--- check
my ($a, $data) = ready();
my ($b, $other) = ready();
my $c = $a->post('/campaigns', { %$data, name => 'Spring' })->data;
refused($a->post('/campaigns', { %$data, name => 'Spring' }), 409, 1615, 'once more');
answered($b->post('/campaigns', { %$other, name => 'Spring' }), 201, 'in another account');
refused($a->post('/campaigns', { %$data, name => 'é' x 46 }), 400, 1614, '46 characters');
answered($a->post('/campaigns', { %$data, name => 'é' x 45 }), 201, '45 characters of two bytes');
my %names = map { $a->post('/campaigns', $data)->data->{name} => 1 } 1 .. 3;
is(scalar keys %names, 3, 'left out, each gets one of its own');
answered($a->delete("/campaigns/$c->{id}"), 204, 'deleted');
answered($a->post('/campaigns', { %$data, name => 'Spring' }), 201, 'the name is free again');


=== TEST 11: 100000 numbers go in one request, one more does not
--- check
my $a = account();
$a->sender();
my $to = join ',', map { '"' . (15500000000 + $_) . '"' } 1 .. 100000;
my $head = '{"data":{"from":"Acme","channel":"SMS","text":"Hello","to":[';
my $r = $a->post('/campaigns', "$head$to]}}");
answered($r, 201, '100000 numbers');
is($r->data->{messages}{total}, 100000, 'all counted');
refused($a->post('/campaigns', qq($head$to,"15551234567"]}})), 400, 1618, '100001 numbers');
my $objects = join ',', map { sprintf '{"number":"%d","first_name":"n%d","tags":["a"]}', 15500000000 + $_, $_ } 1 .. 100000;
$r = $a->post('/campaigns', "$head$objects]}}");
answered($r, 201, '100000 contacts with fields');
is($r->data->{messages}{total}, 100000, 'all counted');
is($a->get('/campaigns')->page->{total}, 2, 'two campaigns');


=== TEST 12: campaigns are listed newest first, page by page, forwards and back
--- check
my $a = account();
$a->sender();
$a->campaign(name => "C$_") for 1 .. 5;
my $one = $a->get('/campaigns?page_size=2');
is(names($one), 'C5 C4', 'first page');
is_deeply({ map { $_ => $one->page->{$_} } qw(number size total) }, { number => 1, size => 2, total => 5 }, 'its numbers');
is($one->page->{links}{previous}, undef, 'nothing before it');
like($one->page->{links}{$_}, qr/^\/v1\/campaigns\?page_size=2/, "link $_") for qw(first current next);
like($one->page->{links}{next}, qr/^\/v1\/campaigns\?page_size=2&page_token=[A-Za-z0-9_-]+$/, 'the token is not the first parameter');
$a->campaign(name => 'C6');
my $two = $a->get($one->page->{links}{next});
is(names($two), 'C3 C2', 'second page, although one was added');
is_deeply([@{ $two->page }{qw(number size total)}], [2, 2, 6], 'its numbers');
my $three = $a->get($two->page->{links}{next});
is(names($three), 'C1', 'last page');
is($three->page->{links}{next}, undef, 'nothing after it');
is(names($a->get($three->page->{links}{previous})), 'C3 C2', 'back');
is(names($a->get($two->page->{links}{previous})), 'C5 C4', 'and back');
is(names($a->get($two->page->{links}{first})), 'C6 C5', 'the first page has the new one');
is(names($a->get($two->page->{links}{current})), 'C3 C2', 'the current one is itself');
$a->delete('/campaigns/' . $two->data->[1]{id});
is(names($a->get($two->page->{links}{next})), 'C1', 'a page goes on although its neighbour is gone');
is(names($a->get('/campaigns')), 'C6 C5 C4 C3 C1', '20 a page when nothing is said');


=== TEST 13: campaigns are filtered by channel and status
--- check
my $a = account();
$a->sender(channel => $_) for qw(SMS VIBER);
my %id = map { my $c = $a->campaign(name => "C$_", channel => $_ % 2 ? 'SMS' : 'VIBER'); ("C$_" => $c->{id}) } 1 .. 6;
$a->put("/campaigns/$id{$_}", { status => 'canceled' }) for qw(C1 C2 C3);
is(names($a->get('/campaigns?filter[channel]=SMS')), 'C5 C3 C1', 'channel, brackets as they are');
is(names($a->get('/campaigns?filter%5Bchannel%5D=sms')), 'C5 C3 C1', 'channel, brackets encoded, in lower case');
is(names($a->get('/campaigns?filter[status]=canceled')), 'C3 C2 C1', 'status');
my $r = $a->get('/campaigns?page_size=1&filter%5bstatus%5d=canceled&filter[channel]=SMS');
is(names($r), 'C3', 'both');
is($r->page->{total}, 2, 'total is of what matches');
like($r->page->{links}{next}, qr/^\/v1\/campaigns\?page_size=1&filter%5Bchannel%5D=SMS&filter%5Bstatus%5D=canceled&page_token=/, 'links repeat the filters');
is(names($a->get($r->page->{links}{next})), 'C1', 'and lead on');
my ($token) = $r->page->{links}{next} =~ /page_token=(.+)/;
refused($a->get("/campaigns?page_size=1&page_token=$token"), 400, 1009, 'a token without its filter');
is(names($a->get('/campaigns?filter[channel]=&filter[status]=')), 'C6 C5 C4 C3 C2 C1', 'empty filters are none');
refused($a->get('/campaigns?filter[channel]=PIGEON'), 400, 1009, 'no such channel');
refused($a->get('/campaigns?filter[status]=asleep'), 400, 1009, 'no such status');
$r = $a->get('/campaigns?page_size=0&filter[channel]=x&filter[status]=y');
refused($r, 400, [1009, 1009, 1009], 'all wrong parameters in one reply');
is_deeply([sort map { /'([^']+)'/ } $r->messages], ['filter[channel]', 'filter[status]', 'page_size'], 'each by its name');
answered($a->get('/campaigns?unknown=1&filter[unknown]=2'), 200, 'unknown ones are ignored');


=== TEST 14: a campaign gets another name or another date
--- check
my ($a, $data) = ready();
my $c = $a->post('/campaigns', { %$data, name => 'Spring', schedule => '2099-01-01 00:00:00' })->data;
my $taken = $a->post('/campaigns', { %$data, name => 'Taken' })->data;
my $path = "/campaigns/$c->{id}";
is($a->put($path, { name => 'Summer' })->data->{name}, 'Summer', 'renamed');
is($a->patch($path, { schedule => '2099-06-01T00:00:00Z' })->data->{schedule}, '2099-06-01 00:00:00', 'rescheduled, by PATCH');
my $r = $a->put($path, { name => 'Autumn', schedule => '2099-09-01 00:00:00' });
is_deeply([@{ $r->data }{qw(name schedule status)}], ['Autumn', '2099-09-01 00:00:00', 'scheduled'], 'both');
refused($a->put($path, { name => 'Taken' }), 409, 1615, 'a name that is taken');
refused($a->put($path, { name => 'x' x 46 }), 400, 1614, 'a name that is too long');
refused($a->put($path, { schedule => '2020-01-01 00:00:00' }), 400, 1522, 'a date in the past');
refused($a->put($path, { schedule => 'soon' }), 400, 1609, 'no date');
refused($a->put($path, { name => 'Winter', status => 'asleep' }), 409, 1611, 'a status that is none');
is_deeply($a->put($path, {})->data, $r->data, 'nothing to change');
is($a->put($path, { from => 'Nobody', text => 'x', channel => 'PIGEON' })->data->{from}, 'Acme', 'other fields are ignored');
is_deeply($a->get($path)->data, $r->data, 'refused changes left no trace');
answered($a->put($path, { name => 'Autumn' }), 200, 'its own name');
refused($a->put('/campaigns/00000000-0000-4000-8000-000000000000', { name => 'x' }), 404, 1601, 'an unknown campaign');
refused($a->put('/campaigns/x', { name => 'x' }), 400, 1602, 'no UUID');


=== TEST 15: a scheduled campaign is cancelled, and all its messages are
--- check
my ($a, $data) = ready();
my $c = $a->post('/campaigns', { %$data, name => 'Spring' })->data;
my $path = "/campaigns/$c->{id}";
my $r = $a->put($path, { status => 'canceled' });
answered($r, 200, 'cancel');
is($r->data->{status}, 'canceled', 'status');
is_deeply([@{ $r->data->{messages} }{qw(total pending canceled)}], [3, 0, 3], 'messages');
refused($a->put($path, { status => $_ }), 409, 1611, "then $_") for qw(canceled paused in_progress scheduled completed failed);
refused($a->put($path, { schedule => '2099-01-01 00:00:00' }), 409, 1611, 'nor is it rescheduled');
is($a->put($path, { name => 'Over' })->data->{name}, 'Over', 'but renamed');
answered($a->delete($path), 204, 'and deleted');


=== TEST 16: statuses that a client cannot set are refused
--- check
my ($a, $data) = ready();
my $c = $a->post('/campaigns', $data)->data;
refused($a->put("/campaigns/$c->{id}", { status => $_ }), 409, 1611, $_) for qw(paused in_progress scheduled completed failed);
is_deeply($a->get("/campaigns/$c->{id}")->data, $c, 'it is as it was');
is($a->put("/campaigns/$c->{id}", { status => 'CANCELED' })->data->{status}, 'canceled', 'any case');


=== TEST 17: a deleted campaign is gone
--- check
my ($a, $data) = ready();
my $c = $a->post('/campaigns', { %$data, schedule => '2099-01-01 00:00:00' })->data;
my $r = $a->delete("/campaigns/$c->{id}");
answered($r, 204, 'a scheduled one is deleted');
is($r->body // '', '', 'without a body');
refused($a->get("/campaigns/$c->{id}"), 404, 1601, 'gone');
refused($a->delete("/campaigns/$c->{id}"), 404, 1601, 'a second time');
refused($a->delete('/campaigns/x'), 400, 1602, 'no UUID');
is($a->get('/campaigns')->page->{total}, 0, 'not in the list');


=== TEST 18: what a campaign was made of is copied: contacts added later are not in it
--- check
my ($a, $data) = ready();
my $c = $a->post('/campaigns', $data)->data;
$a->post("/audiences/$data->{audience}/contacts", { number => '15559999999' });
is($a->get("/campaigns/$c->{id}")->data->{messages}{total}, 3, 'three, as it was created');
is($a->post('/campaigns', $data)->data->{messages}{total}, 4, 'a new one has four');
