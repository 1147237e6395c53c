# Two accounts on one server: nothing of one is ever another's.  The matrices are made of the module's own tables: a new route, or a new field, is in them
# on the day it is written; a new kind of object needs a line in %make.

use lib 't/lib';
use Campaign;
use Campaign::Source;
use Test::Nginx::Socket 'no_plan';

# the API's routes: method and path
sub api_routes { map { [@$_{qw(method path)}] } routes('api') }

# fields of a resource: name => 1 if a request of that method may set it
sub fields {
    my ($resource, $method) = (resource($_[0]), $_[1]);
    my %fields;
    $fields{ $_->{name} } ||= $_->{flags}{$method} ? 1 : 0 for @{ $resource->{fields} };
    $fields{$_} = 1 for keys %{ $resource->{given} // {} };
    return %fields;
}

# an object of each kind: its identifier as it stands in a path.  The account has a sender
my $made = 0;
my %make = (
    campaigns    => sub { $_[0]->campaign()->{id} },
    audiences    => sub { $_[0]->audience()->{id} },
    templates    => sub { $_[0]->template()->{id} },
    senders      => sub { $_[0]->sender(name => 'S' . ++$made)->{id} },
    contacts     => sub { $_[0]->make("/audiences/$_[1]/contacts", { number => '' . (15570000000 + ++$made) })->{id} },
    messages     => sub { $_[0]->make('/messages', { from => 'Acme', channel => 'SMS', text => 'x', to => ['15551234567'], schedule => '2100-01-01 00:00:00' })->[0]{id} },
    webhooks     => sub { webhook($_[0]) },
    suppressions => sub { my $n = '' . (15580000000 + ++$made); $_[0]->make('/suppressions', { number => $n }); $n },
);

# an account has one of each event: the next one, in place of the one that it has
sub webhook {
    my $account = shift;
    my $event = qw(delivery message campaign)[++$made % 3];
    $account->delete("/webhooks/$_->{id}") for grep { $_->{event} eq $event } @{ $account->get('/webhooks')->data };
    return $account->make('/webhooks', { url => "http://hooks.example.com/$made", event => $event })->{id};
}

sub made { ++$made }
sub makes { exists $make{ $_[0] } }
sub make { my $kind = shift; $make{$kind}->(@_) }

my %unknown = (suppressions => '15599999999');
sub unknown { $unknown{ $_[0] } // '01234567-89ab-8def-8123-456789abcdef' }

# a body that is right for every route, as far as one can be
my %body = (name => 'renamed', number => '15550001111', text => 'Hello', channel => 'SMS', url => 'http://hooks.example.com/', event => 'delivery', first_name => 'Ann',
            from => '2026-01-01 00:00:00', to => '2026-01-02 00:00:00');

# what an answer says, but for the path and the time
sub said { my $r = shift; join ' ', $r->status, $r->status >= 400 ? map { "$_->{code} $_->{message}" } $r->errors : substr $r->body // '', 0, 200 }

# a request of a route's method
sub ask {
    my ($client, $method, $path) = @_;
    return $client->call($method, "/$path", $method =~ /^P/ ? \%body : undef);
}

# values that no request may set: the field's name => value
my %hostile = (id => '11111111-1111-4111-8111-111111111111', map { $_ => '22222222-2222-4222-8222-222222222222' } qw(account_id template_id audience_id campaign_id));
my $bad = qr/11111111-1111|22222222-2222|2001-02-03|31337|HOSTILE/;

sub bad { $bad }

sub hostile {
    my %fields = @_;
    return map { $_ => $hostile{$_} // (/_date$/ ? '2001-02-03 04:05:06' : /count|segments|attempts/ ? 31337 : /messages|links|progress/ ? { total => 31337, self => 'HOSTILE' } : 'HOSTILE') }
           grep { !$fields{$_} } keys %fields;
}

run_tests();

__DATA__

=== TEST 1: another account's object is unknown to every route, in the same words as one that never was
--- check
my ($a, $b) = (account(), account());
$_->sender() for $a, $b;
my @routes = grep { $_->[1] =~ /\{id\}|\{number\}/ } api_routes();
cmp_ok(scalar @routes, '>=', 8, 'routes with an identifier');
my %first;
for my $route (@routes) {
    my ($method, $path) = @$route;
    my @kinds = $path =~ m{(\w+)/\{\w+\}}g;
    if (my @missing = grep { !makes($_) } @kinds) {
        fail("$method $path: %make has no line for @missing");
        next;
    }
    my $title = "$method $path";
    my $theirs = make($kinds[0], $b);
    (my $at = $path) =~ s/\{\w+\}/$theirs/;
    if (@kinds == 1) {
        (my $nowhere = $path) =~ s/\{\w+\}/unknown($kinds[0])/e;
        my ($other, $never) = (ask($a, $method, $at), ask($a, $method, $nowhere));
        is($other->status, 404, "$title: another's is 404");
        is(said($other), said($never), "$title: and as unknown as one that never was");
        next;
    }
    my $inner = make($kinds[1], $b, $theirs);
    my $mine = make($kinds[0], $a);
    my $own = make($kinds[1], $a, $mine);
    my %way = (theirs => [$theirs, $inner], 'mine in theirs' => [$theirs, $own], 'theirs in mine' => [$mine, $inner]);
    for my $way (sort keys %way) {
        my ($x, $y) = @{ $way{$way} };
        my $there = $path =~ s/\{\w+\}/$x/r =~ s/\{\w+\}/$y/r;
        my $never = $path =~ s/\{\w+\}/$x eq $mine ? $mine : unknown($kinds[0])/er =~ s/\{\w+\}/unknown($kinds[1])/er;
        my ($other, $nothing) = (ask($a, $method, $there), ask($a, $method, $never));
        is($other->status, 404, "$title, $way: 404");
        is(said($other), said($nothing), "$title, $way: as one that never was");
    }
}


=== TEST 2: what another account tried has changed nothing
--- check
my ($a, $b) = (account(), account());
$_->sender() for $a, $b;
for my $route (grep { $_->[1] =~ m{\A\w+/\{\w+\}\z} && $_->[0] =~ /PUT|PATCH|DELETE/ } api_routes()) {
    my ($method, $path) = @$route;
    my ($kind) = $path =~ m{\A(\w+)/} or next;
    next if !makes($kind);
    my $id = make($kind, $b);
    my $before = $b->get("/$kind/$id");
    answered($before, 200, "$method $path: it is there");
    ask($a, $method, "$kind/$id");
    is($b->get("/$kind/$id")->body, $before->body, "$method $path: it is as it was");
}


=== TEST 3: lists hold an account's own objects, and their page tokens are its own
--- check
my ($a, $b) = (account(), account());
$_->sender() for $a, $b;
for my $route (grep { $_->[0] eq 'GET' && $_->[1] =~ /\A\w+\z/ } api_routes()) {
    my $kind = $route->[1];
    make($kind, $b) for 1 .. 3;
    my $mine = make($kind, $a);
    my $seen = $a->get("/$kind?page_size=100")->body;
    my $total = () = $b->get("/$kind?page_size=100")->body =~ /"create_date"/g;
    is($seen =~ /\Q$mine\E/ ? 1 : 0, 1, "$kind: one's own is listed");
    my @theirs = map { $_->{id} // $_->{number} } @{ $b->get("/$kind?page_size=100")->data };
    is(scalar(grep { $seen =~ /\Q$_\E/ } @theirs), 0, "$kind: none of another's is");
    my ($token) = $b->get("/$kind?page_size=1")->page->{links}{next} =~ /page_token=([\w-]+)/ or die 'no token';
    answered($b->get("/$kind?page_size=1&page_token=$token"), 200, "$kind: a token of one's own");
    refused($a->get("/$kind?page_size=1&page_token=$token"), 400, 1009, "$kind: a token of another's");
}


=== TEST 4: what a body refers to has to be the account's own, and nothing else is told
--- check
my ($a, $b) = (account(), account());
$a->sender();
$b->sender(name => 'Theirs');
my ($l, $t) = ($b->audience(), $b->template());
my $none = unknown('audiences');
for my $query ('', '?dry_run=true') {
    my %say = map { $_->[0] => said($a->post("/campaigns$query", { from => 'Acme', channel => 'SMS', text => 'x', to => ['15551234567'], %{ $_->[1] } })) }
        ['audience', { to => undef, audience => $l->{id} }], ['no audience', { to => undef, audience => $none }],
        ['template', { text => undef, template => $t->{id} }], ['no template', { text => undef, template => $none }],
        ['sender', { from => 'Theirs' }], ['no sender', { from => 'Nobody' }];
    is($say{$_}, $say{"no $_"}, "campaigns$query: $_") for qw(audience template sender);
    like($say{$_}, qr/\A400 /, "$_ is refused") for qw(audience template sender);
}


=== TEST 5: no body sets what is not its own to set
--- check
my $a = account();
$a->sender();
my %base = (senders => sub { name => 'M' . made(), channel => 'SMS' }, templates => sub { text => 'Hello', channel => 'SMS' },
            audiences => sub { name => 'mass ' . made(), channel => 'SMS' },
            campaigns => sub { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567'], schedule => '2100-01-01 00:00:00' },
            contacts => sub { number => '' . (15560000000 + made()) }, webhooks => sub { url => 'http://hooks.example.com/' . made(), event => 'message' });
my $list = $a->audience()->{id};
my %seen;
for my $route (api_routes()) {
    my ($method, $path) = @$route;
    my ($kind) = $path =~ m{(\w+)(?:/\{\w+\})?\z} or next;
    next if $method !~ /\A(?:POST|PUT|PATCH)\z/ || !$base{$kind} || ($method eq 'POST') == ($path =~ /\}\z/ ? 1 : 0);
    my %extra = hostile(fields($kind, $method eq 'POST' ? 'POST' : 'PUT'));
    cmp_ok(scalar keys %extra, '>', 0, "$method $path: " . join ' ', sort keys %extra);
    my $at = $path =~ s/audiences\/\{\w+\}\/contacts/audiences\/$list\/contacts/r;
    if ($method eq 'POST') {
        my $r = $a->post("/$at", { $base{$kind}->(), %extra });
        ok($r->status == 201 || $r->status == 400, "$method $path: taken without them, or refused") or diag $r->body;
        unlike($r->body, bad(), 'nothing of them is shown') if $r->status == 201;
    } else {
        my $id = make($kind, $a, $list);
        $at =~ s/\{\w+\}/$id/;
        my $r = $a->call($method, "/$at", { %extra });
        ok($r->status == 200 || $r->status == 400, "$method $path: taken without them, or refused") or diag $r->body;
        unlike($a->get("/$at")->body, bad(), 'nothing of them is kept');
    }
    $seen{$kind}++;
}
cmp_ok(scalar keys %seen, '>=', 5, 'kinds: ' . join ' ', sort keys %seen);


=== TEST 6: a page token with one bit turned is no token
--- check
my $a = account();
$a->sender(name => "S$_") for 1 .. 3;
my ($token) = $a->get('/senders?page_size=1')->page->{links}{next} =~ /page_token=([\w-]+)/;
my @digit = ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_');
my %value = map { $digit[$_] => $_ } 0 .. 63;
my @taken;
for my $i (0 .. length($token) - 1) {
    for my $bit (0 .. 5) {
        my $turned = $token;
        substr $turned, $i, 1, $digit[ $value{ substr $token, $i, 1 } ^ 1 << $bit ];
        my $r = $a->get("/senders?page_size=1&page_token=$turned");
        push @taken, "$i.$bit: " . $r->status if $r->status != 400 || ($r->codes)[0] != 1009;
    }
}
is("@taken", '', length($token) * 6 . ' bits');
refused($a->get("/senders?page_size=1&page_token=$_"), 400, 1009, 'token ' . substr $_, 0, 20) for substr($token, 1), "${token}A", 'A' x 64, 'x', '%00' x 20, 'A' x 4000;
