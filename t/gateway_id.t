# What a gateway calls a message: found in its reply, shown with the message.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';

# a channel's replies by its name; %s is the message's id
my %replies = (
    '/list'     => '{"data":[{"id":"gw-%s","status":"sent"}]}',
    '/one'      => '{"data":{"id":"one-%s"}}',
    '/other'    => '{"data":[{"message_id":"other-%s","to":"1"}]}',
    '/number'   => '{"data":{"id":123456789012345678901234}}',
    '/own'      => '{"data":[{"id":"%s"}]}',
    '/none'     => '{"data":[{"id":null}]}',
    '/broken'   => '{"data":[{"id":"cut',
    '/long'     => '{"data":[{"id":"' . 'x' x 65 . '"}]}',
    '/odd'      => '{"data":[{"id":"a b"}]}',
    '/nul'      => '{"data":[{"id":"a\u0000b"}]}',
    '/twice'    => '{"data":[{"id":"first","id":"second"}]}',
    '/same'     => '{"data":[{"id":"same-for-all"}],"id":"same"}',
    '/slashes'  => '{"data":[{"id":"a\/b\u002fc"}]}',
    '/late'     => '{"filler":"' . 'x' x 3000 . '","data":{"id":"late"}}',
    '/toolate'  => '{"filler":"' . 'x' x 5000 . '","data":{"id":"toolate"}}',
    '/deep'     => '{"a":' . '[' x 1500 . ']' x 1500 . ',"data":{"id":"below"}}',
    '/text'     => "Success \"07033084-5cfd-4812-90a4-e4d24ffb6e3d\"\n",
    '/path'     => '{"messages":[{"to":"1","message-id":"0A01"}]}',
    '/xml'      => '<?xml version="1.0"?><s:Envelope><s:Body><n:messageId>17</n:messageId></s:Body></s:Envelope>',
    '/off'      => '{"data":[{"id":"unwanted"}]}',
    '/first'    => '{"sid":"SM1","data":[{"id":"not this"}]}',
);

gateway(sub {
    my $r = shift;

    return { headers => ['X-Message-Id: h-1'], body => '' } if $r->{path} eq '/header';
    return { status => 503, body => '{"data":[{"id":"refused"}]}' } if $r->{path} eq '/again' && $r->{try} == 1;
    return { status => 400, body => '{"data":[{"id":"refused"}]}' } if $r->{path} eq '/refused';
    return { body => '{"data":[{"id":"again-' . $r->{try} . '"}]}' } if $r->{path} eq '/again';
    return { body => '{"data":[{"id":"endless"}],"x":"' . 'x' x 200_000 } if $r->{path} eq '/endless';
    return { body => $replies{ $r->{path} } =~ s/%s/$r->{id}/r };
});

$Campaign::HttpConfig .= "campaign_retry attempts=3 min=20ms max=60ms;\n";

$Campaign::Config .= join '', (map { channel(uc substr($_, 1), '') } grep { !m{/(?:text|path|xml|off|first)\z} } sort keys %replies),
    channel('TEXT', 'id=word:2'), channel('PATH', 'id=messages[0].message-id'), channel('XML', 'id=tag:messageId'),
    channel('OFF', 'id=off receipts=off'), channel('FIRST', 'id=sid id=data[0].id concurrency=4'), channel('HEADER', 'id=x-message-id.none id=header:x-message-id'),
    channel('AGAIN', ''), channel('REFUSED', ''), channel('ENDLESS', ''),
    channel('SPLIT', '', "proxy_pass http://told/list;\nproxy_buffer_size 128;\nproxy_buffers 8 128;\nproxy_busy_buffers_size 256;\n"),
    channel('FIXED', '', "return 200 '{\"data\":[{\"id\":\"fixed\"}]}';\n");

# the messages of a campaign that is over
sub messages {
    my ($account, $channel, @fields) = @_;
    my $c = start($account, $channel, @fields);
    settled($account, $c);
    return @{ $account->get("/campaigns/$c->{id}/messages")->data };
}

run_tests();

__DATA__

=== TEST 1: the gateway's own id is found in its reply, and shown
--- check
my $account = account();
my %want = (LIST => sub { "gw-$_[0]" }, ONE => sub { "one-$_[0]" }, OTHER => sub { "other-$_[0]" }, NUMBER => '123456789012345678901234', OWN => undef,
            NONE => undef, BROKEN => undef, LONG => undef, ODD => undef, NUL => undef, TWICE => 'first', SLASHES => 'a/b/c',
            LATE => 'late', TOOLATE => undef, DEEP => 'below', TEXT => '07033084-5cfd-4812-90a4-e4d24ffb6e3d', PATH => '0A01', XML => '17',
            OFF => undef, FIRST => 'SM1', HEADER => 'h-1', ENDLESS => 'endless', SPLIT => sub { "gw-$_[0]" }, FIXED => 'fixed');
my %started = map { $_ => start($account, $_) } sort keys %want;
for my $channel (sort keys %want) {
    my $c = settled($account, $started{$channel});
    my ($m) = @{ $account->get("/campaigns/$c->{id}/messages")->data };
    my $want = ref $want{$channel} ? $want{$channel}->($m->{id}) : $want{$channel};
    is($m->{status}, $channel eq 'OFF' ? 'delivered' : 'sent', "$channel: accepted");
    is($m->{gateway_id}, $want, "$channel: the id");
    is($account->get("/messages/$m->{id}")->data->{gateway_id}, $want, "$channel: in the message, too") if $channel =~ /LIST|OWN/;
}

=== TEST 2: only the reply that accepted a message names it
--- check
my $account = account();
my ($m) = messages($account, 'AGAIN');
is($m->{status}, 'sent', 'the repeat is accepted');
is($m->{gateway_id}, 'again-2', 'and its reply counts');
($m) = messages($account, 'REFUSED');
is($m->{status}, 'failed', 'refused');
is($m->{gateway_id}, undef, 'without an id');

=== TEST 3: exports have it
--- check
my $account = account();
my $c = start($account, 'LIST', to => [numbers(3)]);
settled($account, $c);
my $r = $account->get("/campaigns/$c->{id}/messages", Accept => 'text/csv');
my ($head, @rows) = split /\r\n/, $r->body;
like($head, qr/,gateway_id\z/, 'a column');
is(@rows, 3, 'three rows');
is((split /,/)[-1], 'gw-' . (split /,/)[0], 'with the id') for @rows;
my @lines = map { decode($_) } split /\n/, $account->get("/campaigns/$c->{id}/messages", Accept => 'application/x-ndjson')->body;
is($_->{gateway_id}, "gw-$_->{id}", 'a line') for @lines;

=== TEST 4: many messages with one id: each shows it
--- check
my $account = account();
my @m = messages($account, 'SAME', to => [numbers(20)]);
is(scalar(grep { $_->{status} eq 'sent' } @m), 20, 'all are accepted');
is(join(' ', map { $_->{gateway_id} } @m), join(' ', ('same-for-all') x 20), 'each with that id');
