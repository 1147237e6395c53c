# Messages: sent alone, listed, shown, canceled; delivered ahead of campaigns.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';

gateway(sub { $_[0]{body} =~ /"1999/ ? 400 : 200 });

$Campaign::HttpConfig .= "campaign_retry min=50ms max=50ms attempts=2;\n";
$Campaign::Config .= channel('SINGLE', '') . channel('LANE', '');

# nothing is sent but in the blocks that say so
Test::Nginx::Util::add_block_preprocessor(sub {
    my $block = shift;
    $Campaign::Dispatch = $block->dispatch // 'off';
    $block->set_value(config => "# dispatch $Campaign::Dispatch\n" . ($block->config // ''));
});

run_tests();

__DATA__

=== TEST 1: a message to each number, shown as the contract has it
--- check
my $a = account();
$a->sender(name => 'Acme');
my $r = $a->post('/messages', { from => 'Acme', to => ['15551234567', '+15551234568'], text => 'Hello {name} €', channel => 'sms' });
answered($r, 201, 'created');
is(scalar @{ $r->data }, 2, 'two objects');
my ($m, $n) = @{ $r->data };
like($m->{id}, uuid(), 'id');
is($m->{message_id}, $m->{id}, 'message_id is the same');
isnt($m->{id}, $n->{id}, 'each has its own');
my %shown = map { $_ => $m->{$_} }
    qw(account_id campaign_id template_id from to channel direction status text segments_count segments encoding reason attempts schedule gateway_id);
is_deeply(\%shown, { account_id => $a->id, campaign_id => undef, template_id => undef, from => 'Acme', to => '15551234567', channel => 'SMS',
                     direction => 'MT', status => 'scheduled', text => 'Hello {name} €', segments_count => 1, segments => 1, encoding => 'GSM-7',
                     reason => undef, attempts => 0, schedule => undef, gateway_id => undef }, 'fields');
is($n->{to}, '15551234568', 'digits only');
like($m->{create_date}, qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'create_date');
is_deeply($m->{links}, { self => "/v1/messages/$m->{id}", account => '/v1/accounts/' . $a->id }, 'links');
delete $m->{message_id};
is_deeply($a->get("/messages/$m->{id}")->data, $m, 'and it is read back as it was created');
is_deeply($a->get($m->{links}{self})->data, $m, 'by its link');
is($a->get('/campaigns')->page->{total}, 0, 'it is no campaign');


=== TEST 2: all wrong fields come in one reply
--- check
my $a = account();
$a->sender(name => 'Acme');
my %good = (from => 'Acme', to => ['15551234567'], text => 'Hello', channel => 'SMS');
my $try = sub { my %m = (%good, @_); delete @m{grep { !defined $m{$_} } keys %m}; $a->post('/messages', \%m) };
refused($a->post('/messages', {}), 400, [1503, 1505, 1508, 1515], 'nothing given');
refused($try->(from => '', to => [], text => ''), 400, [1503, 1505, 1508], 'empty is nothing');
refused($try->(from => 'Nobody'), 400, 1504, 'no such sender');
refused($try->(from => 'Acme', channel => 'VIBER'), 400, 1504, 'a sender of another channel');
refused($try->(from => ['Acme']), 400, 1504, 'no text as sender');
refused($try->(to => $_), 400, 1506, 'to ' . json($_)) for 'x', ['15551234567', '0123'], [15551234567], { number => '15551234567' }, [[]];
refused($try->(to => ['12', '15551234567', '34']), 400, [1506, 1506], 'each bad number is told of');
refused($try->(to => [map { 15551234567 + $_ . "" } 0 .. 10]), 400, 1507, 'eleven numbers');
refused($try->(text => 5), 400, 1509, 'a text that is none');
refused($try->(text => "a\x01b"), 400, 1509, 'a control character');
refused($try->(text => 'x' x 1001), 400, 1510, 'a long text');
answered($try->(text => "\x{20ac}" x 1000), 201, 'the limit counts characters');
refused($try->(channel => 'PIGEON'), 400, 1515, 'a channel without a gateway');
refused($try->(schedule => 'soon'), 400, 1521, 'no date');
refused($try->(schedule => '2020-01-01 00:00:00'), 400, 1522, 'a date that is past');
refused($try->(variables => ['x']), 400, 1516, 'variables of a text');
refused($a->post('/messages', '[]'), 400, 1007, 'no data');


=== TEST 3: a number given twice gets one message; one number may be given alone
--- check
my $a = account();
$a->sender(name => 'Acme');
my %m = (from => 'Acme', text => 'Hello', channel => 'SMS');
is(scalar @{ $a->post('/messages', { %m, to => ['15551234567', '+15551234567', '15551234568'] })->data }, 2, 'twice');
is($a->post('/messages', { %m, to => '+15551234567' })->data->[0]{to}, '15551234567', 'alone');
$a->sender(name => '+15550001111');
is($a->post('/messages', { %m, from => '+15550001111', to => '15551234567' })->data->[0]{from}, '15550001111', 'a number as sender');


=== TEST 4: variables fill a template's placeholders
--- check
my $a = account();
$a->sender(name => 'Acme');
my $t = $a->template(text => 'Dear {first_name|friend}, {custom2} for {number}: {first_name}');
my $send = sub { $a->post('/messages', { from => 'Acme', to => ['15551234567'], template => $t->{id}, @_ }) };
my $text = sub { my $r = $send->(@_); $r->status == 201 ? $r->data->[0]{text} : $r->body };
is($text->(), 'Dear friend,  for 15551234567: ', 'none');
is($text->(variables => ['Ada', 'code 7']), 'Dear Ada, code 7 for 15551234567: Ada', 'a list, in the order of the placeholders');
is($text->(variables => { custom2 => '{x}', first_name => "\"B\\\n" }), "Dear \"B\\\n, {x} for 15551234567: \"B\\\n", 'by name, whatever they hold');
is($text->(variables => { date => 'today' }), 'Dear friend, today for 15551234567: ', 'by an older name');
my $m = $send->(variables => ['Ada'], channel => 'SMS')->data->[0];
is($m->{template_id}, $t->{id}, 'template_id');
is($m->{links}{template}, "/v1/templates/$t->{id}", 'and its link');
is($a->get("/messages/$m->{id}")->data->{text}, $m->{text}, 'kept');
refused($send->(variables => ['a', 'b', 'c']), 400, 1516, 'more values than placeholders');
refused($send->(variables => { $_ => 'a' }), 400, 1516, "a placeholder called $_") for 'name', 'number', 'first_name|x', 'date}{date', '';
refused($send->(variables => $_), 400, 1516, 'variables ' . json($_)) for 'x', [5], { date => undef }, [('a') x 11];
refused($send->(variables => ['x' x 71]), 400, 1526, 'a long value');
answered($send->(variables => ["\x{1f600}" x 70]), 201, 'characters are counted');
refused($send->(text => 'x'), 400, 1511, 'text and template');
refused($send->(template => 'x'), 400, 1511, 'no UUID');
refused($send->(template => '00000000-0000-4000-8000-000000000000'), 400, 1511, 'no such template');
refused($send->(channel => 'VIBER'), 400, 1512, 'of another channel');
refused(account()->post('/messages', { from => 'Acme', to => ['15551234567'], template => $t->{id} }), 400, 1511, "another account's template");


=== TEST 5: a message that is not claimed is canceled, once
--- check
my $a = account();
$a->sender(name => 'Acme');
my ($m, $n) = @{ $a->post('/messages', { from => 'Acme', to => ['15551234567', '15551234568'], text => 'Hello', channel => 'SMS',
                                         schedule => '2100-01-01 00:00:00' })->data };
is($m->{schedule}, '2100-01-01 00:00:00', 'schedule');
my $r = $a->delete("/messages/$m->{id}");
answered($r, 204, 'canceled');
is_deeply([@{ $a->get("/messages/$m->{id}")->data }{qw(status reason)}], ['canceled', 'canceled'], 'is shown so');
is($a->get("/messages/$n->{id}")->data->{status}, 'scheduled', 'the other one waits');
answered($a->delete("/messages/$m->{id}"), 204, 'once more changes nothing');
answered($a->delete("/messages/$n->{id}"), 204, 'the other one too');
is($a->get("/messages/$n->{id}")->data->{status}, 'canceled', 'is canceled');


=== TEST 6: a message that is not there, or another account's
--- check
my ($a, $b) = (account(), account());
$a->sender(name => 'Acme');
my $m = $a->post('/messages', { from => 'Acme', to => ['15551234567'], text => 'Hello', channel => 'SMS' })->data->[0];
for my $method (qw(get delete)) {
    refused($b->$method("/messages/$m->{id}"), 404, 1501, "$method: another account's");
    refused($a->$method('/messages/00000000-0000-4000-8000-000000000000'), 404, 1501, "$method: unknown");
    refused($a->$method('/messages/12'), 400, 1502, "$method: no UUID");
    refused($a->$method("/messages/" . $a->id), 404, 1501, "$method: of another kind");
}
is($b->get('/messages')->page->{total}, 0, 'none in its list');
refused($a->put("/messages/$m->{id}", {}), 405, 1013, 'PUT');
my $senders = $a->get('/senders')->data;
is($a->get("/messages/$m->{id}")->data->{status}, 'scheduled', 'it is as it was');


=== TEST 7: the list holds all of the account, newest first, page by page
--- check
my $a = account();
$a->sender(name => 'Acme');
my $c = $a->campaign(to => [map { 15551000000 + $_ . '' } 0 .. 4]);
my @ids = map { $_->{id} } @{ $a->post('/messages', { from => 'Acme', to => [map { 15552000000 + $_ . '' } 0 .. 2], text => 'Hi',
                                                      channel => 'SMS' })->data };
my $r = $a->get('/messages?page_size=2');
is($r->page->{total}, 8, 'total');
is(join(' ', map { $_->{to} } @{ $r->data }), '15552000000 15552000001', 'first page: newest request, its numbers in their order');
is($r->data->[0]{id}, $ids[0], 'under the id that was given');
my (@seen, @back) = ();
for (my $page = $r; $page; $page = $page->page->{links}{next} && $a->get($page->page->{links}{next})) {
    push @seen, map { $_->{to} } @{ $page->data };
    $r = $page;
}
is(join(' ', @seen), join(' ', (map { 15552000000 + $_ } 0 .. 2), (map { 15551000000 + $_ } 0 .. 4)), 'all, once');
is($r->page->{number}, 4, 'number of the last page');
for (my $page = $r; $page; $page = $page->page->{links}{previous} && $a->get($page->page->{links}{previous})) {
    unshift @back, map { $_->{to} } @{ $page->data };
    $r = $page;
}
is(join(' ', @back), join(' ', @seen), 'and back');
is($r->page->{number}, 1, 'to the first page');
my $next = $a->get('/messages?page_size=2')->page->{links}{next};
my ($token) = $next =~ /page_token=(.*)/;
refused($a->get("/messages?page_token=$token&filter[to]=15552000000"), 400, 1009, 'a token of another filter');
refused(account()->get("/messages?page_token=$token"), 400, 1009, "of another account");
refused($a->get("/campaigns/$c->{id}/messages?page_token=$token"), 400, 1009, "of another list");
substr($token, 5, 1) ^= "\1";
refused($a->get("/messages?page_token=$token"), 400, 1009, 'a broken one');
refused($a->get("/messages?page_size=101"), 400, 1009, 'a page that is too long');


=== TEST 8: filters
--- check
my $a = account();
$a->sender(name => 'Acme');
$a->sender(name => 'Other');
$a->sender(name => 'Acme', channel => 'VIBER');
my $c = $a->campaign(to => ['15551000001', '15551000002']);
my $send = sub { $a->make('/messages', { from => 'Acme', to => ['15552000001'], text => 'Hi', channel => 'SMS', @_ })->[0] };
my $v = $send->(channel => 'VIBER', to => ['15553000001']);
my $o = $send->(from => 'Other', to => ['15554000001']);
my $x = $send->(to => ['15555000001'], schedule => '2100-01-01 00:00:00');
$a->delete("/messages/$x->{id}");
my $list = sub { my $r = $a->get("/messages?$_[0]"); $r->status == 200 ? join ' ', map { substr $_->{to}, 4, 1 } @{ $r->data } : $r->body };
is($list->(''), '5 4 3 1 1', 'none');
is($list->('filter[status]=canceled'), '5', 'status');
is($list->('filter%5Bstatuses%5D=CANCELED%2C%20scheduled'), '5 4 3 1 1', 'statuses, encoded, any case');
is($list->('filter[statuses]=sent,failed'), '', 'statuses that none is in');
is($list->('filter[status]=canceled&filter[statuses]=scheduled'), '', 'no status is two');
is($list->('filter[from]=Other'), '4', 'from');
is($list->('filter[to]=15553000001'), '3', 'to');
is($list->('filter[to]=%2B15553000001'), '3', 'to, with a +');
is($list->('filter[to]=1555'), '', 'to is the whole number');
is($list->('filter[to_prefix]=15551'), '1 1', 'to_prefix');
is($list->('filter[channel]=viber'), '3', 'channel');
is($list->("filter[campaign_id]=$c->{id}"), '1 1', 'campaign_id');
is($list->('filter[campaign_id]=00000000-0000-4000-8000-000000000000'), '', 'no such campaign');
is($list->('filter[direction]=mt'), '5 4 3 1 1', 'MT');
is($list->('filter[direction]=MO'), '', 'MO');
is($list->('filter[created_date_start]=2020-01-01%2000:00:00&filter[created_date_end]=2100-01-01T00:00:00Z'), '5 4 3 1 1', 'dates around');
is($list->('filter[created_date_start]=2100-01-01%2000:00:00'), '', 'later');
is($list->('filter[created_date_end]=2020-01-01%2000:00:00'), '', 'earlier');
is($list->('filter[colour]=red'), '5 4 3 1 1', 'an unknown one is ignored');
for my $bad ('status=gone', 'statuses=sent,gone', 'statuses=sent,', 'to=x', 'to_prefix=1234567890123456', 'channel=PIGEON', 'direction=XX', 'direction=MX',
             'created_date_start=soon', 'created_date_end=x', 'campaign_id=12', 'from=' . 'x' x 600) {
    my ($name, $value) = split /=/, $bad;
    my $r = $a->get("/messages?filter[$name]=$value");
    refused($r, 400, 1009, "$name=" . substr $value, 0, 20);
    like(($r->messages)[0], qr/filter\[$name\]/, 'and the message names it');
}
my $r = $a->get('/messages?page_size=1&filter[to_prefix]=1555&filter[statuses]=scheduled,canceled');
is($r->page->{total}, undef, 'what is not counted has no total');
my @seen;
for (my $page = $r; $page; $page = $page->page->{links}{next} && $a->get($page->page->{links}{next})) {
    push @seen, map { substr $_->{to}, 4, 1 } @{ $page->data };
}
is("@seen", '5 4 3 1 1', 'links repeat the filters');
is($a->get('/messages?filter[channel]=VIBER')->page->{total}, 1, 'a channel is counted');
is($a->get("/messages?filter[campaign_id]=$c->{id}&filter[status]=scheduled")->page->{total}, 2, "a campaign's messages by status, too");


=== TEST 9: a message has no campaign that could be seen or touched
--- check
my $a = account();
$a->sender(name => 'Acme');
my $s = $a->get('/senders')->data->[0];
my $m = $a->post('/messages', { from => 'Acme', to => ['15551234567'], text => 'Hello', channel => 'SMS' })->data->[0];
refused($a->get("/campaigns/$m->{id}"), 404, 1601, 'its id is no campaign');
refused($a->get("/campaigns/$m->{id}/messages"), 404, 1601, 'nor has it messages');
is_deeply($a->get('/campaigns?filter[status]=scheduled')->data, [], 'none is listed');
is($a->make('/campaigns', { from => 'Acme', channel => 'SMS', text => 'x', to => ['15551234567'] })->{name}, 'campaign-1', 'it took no name');


=== TEST 10: a repeated request with an idempotency key sends nothing twice
--- check
my $a = account();
$a->sender(name => 'Acme');
my @post = ('/messages', { from => 'Acme', to => ['15551234567', '15551234568'], text => 'Hello', channel => 'SMS' }, 'Idempotency-Key' => 'once');
my ($first, $again) = map { $a->post(@post) } 1 .. 2;
answered($first, 201, 'created');
is($again->body, $first->body, 'the same answer');
is($again->header('idempotency-replayed'), 'true', 'which says so');
is($a->get('/messages')->page->{total}, 2, 'two messages');
is_deeply([map { $_->{message_id} } @{ $again->data }], [map { $_->{id} } @{ $a->get('/messages')->data }], 'are those');


=== TEST 11: messages are sent, and show what became of them
--- dispatch: on
--- check
my $a = account(rate => 1000);
$a->sender(name => 'Acme', channel => 'SINGLE');
my @m = @{ $a->post('/messages', { from => 'Acme', to => ['15551234567', '19991234567'], text => 'Hello {name} {{x', channel => 'SINGLE' })->data };
my $get = sub { $a->get("/messages/$_[0]{id}")->data };
wait_for { $get->($m[0])->{status} !~ /scheduled|enroute/ && $get->($m[1])->{status} eq 'failed' };
is_deeply([@{ $get->($m[0]) }{qw(status reason attempts)}], ['sent', undef, 1], 'accepted');
my ($sent) = grep { $_->{header}{'idempotency-key'} eq $m[0]{id} } requests('SINGLE');
is_deeply(decode($sent->{body})->{data}, { id => $m[0]{id}, from => 'Acme', to => ['15551234567'], text => 'Hello {name} {{x', channel => 'SINGLE' },
          'the gateway got it as it was given');
is_deeply([@{ $get->($m[1]) }{qw(status reason attempts)}], ['failed', 'gateway_4xx', 1], 'refused by the gateway');
refused($a->delete("/messages/$_->{id}"), 409, 1513, "a message that is $_->{status} cannot be canceled") for map { $get->($_) } @m;
is($get->($m[0])->{status}, 'sent', 'and stays so');
is(scalar @{ $a->get('/messages?filter[status]=failed')->data }, 1, 'listed by status');


=== TEST 12: a message goes ahead of campaigns that are under way
--- dispatch: on
--- check
my $a = account(rate => 20, burst => 1);
$a->sender(name => 'Acme', channel => 'LANE');
my @c = map { $a->campaign(channel => 'LANE', to => [numbers(10)], schedule => undef) } 1 .. 40;
wait_for { requests('LANE') >= 3 };
my $m = $a->post('/messages', { from => 'Acme', to => ['15559999999'], text => 'Now', channel => 'LANE' })->data->[0];
my $before = requests('LANE');
wait_for { $a->get("/messages/$m->{id}")->data->{status} eq 'sent' };
my @sent = map { decode($_->{body})->{data}{to}[0] } requests('LANE');
my ($at) = grep { $sent[$_] eq '15559999999' } 0 .. $#sent;
cmp_ok($at // 1e9, '<', $before + 10, "it is number $at to go, $before had gone; 40 campaigns take turns");
$a->put("/campaigns/$_->{id}", { status => 'canceled' }) for @c;
