# The description of the API: served, complete (every row of the module's tables is in it, and the other way round), and true: each
# documented request is sent to the running module, and its reply judged by the document.

use lib 't/lib';
use Campaign;
use Campaign::OpenAPI;
use Campaign::Source;
use Test::Nginx::Socket 'no_plan';

$Campaign::Dispatch = 'on';

# globals by name, so that the blocks' checks see them too
use vars qw($api @operations %route %by_hand %document_id %state);

$api = Campaign::OpenAPI->new;
@operations = $api->operations;
%route = map { ("$_->{service} $_->{method} $_->{path}" => $_) } routes();

# replies that code makes, not a table of fields: only the replay judges them
%by_hand = map { $_ => 1 } qw(getCampaignReport replayWebhook);

sub route { $route{"$_[0]{service} $_[0]{method} $_[0]{path}"} }
sub sorted { join ' ', sort { $a cmp $b } @_ }

# every place of the document that is a hash
sub walk {
    my ($code, $node, $path) = @_;

    if (ref $node eq 'HASH') {
        $code->($node, $path);
        walk($code, $node->{$_}, "$path/$_") for sort keys %$node;
    } elsif (ref $node eq 'ARRAY') {
        walk($code, $node->[$_], "$path/$_") for 0 .. $#$node;
    }
}

# examples of a media type, a parameter: name => value
sub examples {
    my $holder = shift;
    return (map({ ($_ => $holder->{examples}{$_}{value}) } sort keys %{ $holder->{examples} // {} }),
            exists $holder->{example} ? ('' => $holder->{example}) : ());
}


# The objects that a request needs, made when it names them: the identifiers of the document's examples stand for them.  Two of each kind,
# so that a page of one has a next one.  The account's rate is slow: a campaign that was asked for is in progress for long.

%document_id = map { my $p = $_; $p->{in} eq 'path' ? ($p->{description} =~ /of the (\w+)/ ? ($1 => $p->{example}) : ()) : () }
    values %{ $api->component('parameters') };

my %make = (
    sender   => sub { $_[0]{account}->sender(name => 'Spare')->{id} },
    template => sub { map { $_[0]{account}->template(name => $_)->{id} } 'first', 'second' },
    audience => sub { map { $_[0]{account}->audience(name => $_, contacts => ['447700900101', '447700900102'])->{id} } 'first', 'second' },
    contact  => sub { $_[0]{account}->get('/audiences/' . id($_[0], 'audience') . '/contacts')->data->[0]{id} },
    campaign => sub { map { $_[0]{account}->campaign(name => $_)->{id} } 'Sprout', 'Sprite' },
    message  => sub { $_[0]{account}->make('/messages', { from => 'Acme', channel => 'SMS', text => 'Hi', to => [map { "1555000000$_" } 1, 2],
                                                          schedule => '2100-01-01 00:00:00' })->[0]{id} },
    suppression => sub { map { $_[0]{account}->make('/suppressions', { number => $_, channel => 'SMS', from => 'Acme' })->{number} } '447700900198', '447700900199' },
    webhook  => sub { map { $_[0]{account}->make('/webhooks', { url => 'http://hooks.example.com/', event => $_ })->{id} } qw(message campaign) },
    key      => sub { map { admin()->post('/accounts/' . $_[0]{account}->id . '/keys', {})->data->{id} } 1, 2 },
);

my $worlds = 0;

sub world {
    my $state = shift // '';
    my $a = account(rate => 0.001, burst => 1);
    my $world = { number => ++$worlds, account => $a, id => { account => $a->id } };

    $a->sender if $state ne 'empty';

    if ($state =~ /in_progress|paused/) {
        my $id = $a->campaign(name => 'Spruce', schedule => undef, to => ['447700900103', '447700900104', '447700900105'])->{id};
        wait_for { $a->get("/campaigns/$id")->data->{status} eq 'in_progress' } or die 'the campaign does not start';
        answered($a->put("/campaigns/$id", { status => 'paused' }), 200, 'paused') if $state eq 'paused';
        $world->{id}{campaign} = $id;
    }
    if ($state eq 'full') {
        id($world, $_) for sort keys %make;
    }
    return $world;
}

sub id {
    my ($world, $kind) = @_;
    return $world->{id}{$kind} //= ($make{$kind}->($world))[-1];
}

# examples that need a campaign in a state of its own, or an account without anything
%state = ('deleteAccount ' => 'empty', map { ("$_ pause" => 'in_progress', "$_ resume" => 'paused') } qw(changeCampaign patchCampaign));

# the text of a request with the world's identifiers in place of the document's, and names of accounts of its own
sub real {
    my ($text, $world) = @_;
    $text =~ s/\Q$document_id{$_}\E/id($world, $_)/ge for sort keys %document_id;
    $text =~ s/"name":"acme\K/ $world->{number}/g;
    return $text;
}

sub escape { $_[0] =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }

# All documented requests of an operation, each { name, query, headers, type, body }: every example of a body; the first one with each
# parameter alone, all of them at once, and with each form of reply.
sub requests {
    my $operation = shift;
    my $content = $api->request_content($operation);
    my @bodies;

    for my $type (sort keys %$content) {
        my %example = examples($content->{$type});
        $_ = json($_) for grep { ref } values %example;
        push @bodies, map { { name => $_, type => $type, body => $example{$_} } } sort keys %example;
    }
    @bodies = {} if !@bodies;

    my @options = grep { $_->{in} ne 'path' && exists $_->{example} && $_->{name} ne 'page_token' } $api->parameters($operation);
    my @more = map { { %{ $bodies[0] }, with([$_]), name => "with $_->{name}" } } @options;
    push @more, { %{ $bodies[0] }, with(\@options), name => 'with all parameters' } if @options > 1;

    my $responses = $operation->{about}{responses};
    my %forms = map { %{ $api->resolve($responses->{$_})->{content} // {} } } grep { /^2/ } keys %$responses;
    delete $forms{'application/json'};
    push @more, map { { %{ $bodies[0] }, headers => { Accept => $_ }, name => "as $_" } } sort keys %forms;

    return @bodies, @more;
}

sub with {
    my @options = @{ $_[0] };
    my $plain = sub { JSON::PP::is_bool($_[0]) ? ($_[0] ? 'true' : 'false') : $_[0] };

    return (query => join('&', map { escape($_->{name}) . '=' . escape($plain->($_->{example})) } grep { $_->{in} eq 'query' } @options),
            headers => { map { $_->{name} => $_->{example} } grep { $_->{in} eq 'header' } @options });
}

sub path {
    my ($operation, $request, $world) = @_;
    my %value = map { ($_->{name} => $_->{example}) } grep { $_->{in} eq 'path' } $api->parameters($operation);
    my $path = $operation->{template} =~ s/\{(\w+)\}/$value{$1}/gr;

    $path .= "?$request->{query}" if length($request->{query} // '');
    return real(($operation->{service} eq 'admin' ? '/admin' : '/v1') . $path, $world);
}

sub send_request {
    my ($operation, $request, $world, $client) = @_;
    $client //= $operation->{service} eq 'admin' ? admin() : $world->{account};

    my $body = defined $request->{body} ? real($request->{body}, $world) : undef;
    my %headers = (%{ $request->{headers} // {} }, $request->{type} ? ('Content-Type' => $request->{type}) : ());

    return $client->call($operation->{method}, path($operation, $request, $world), $body, %headers);
}

sub judged {
    my ($operation, $answer, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(join("\n", $api->reply_faults($operation, $answer)), '', "$operation->{id} $title: $operation->{method}, " . $answer->status)
        or diag(substr $answer->body // '', 0, 1000);
}

run_tests();

__DATA__

=== TEST 1: it is served without a key, as it is in the repository
--- check
my $r = nobody()->get('/openapi.json');
answered($r, 200, 'no key is asked for');
ok($r->body eq $api->text, 'byte for byte');
is($r->header('Content-Type'), 'application/json', 'as JSON');
my $etag = $r->header('ETag');
like($etag, qr/\A"[0-9a-f]{8}"\z/, 'with an ETag');
$r = nobody()->get('/openapi.json', 'If-None-Match' => $etag);
is(join(' ', $r->status, $r->header('ETag'), $r->body // ''), "304 $etag ", 'who has it gets 304');
answered(nobody()->get('/openapi.json', 'If-None-Match' => '"00000000"'), 200, 'who has another one gets it');
$r = nobody()->head('/openapi.json');
is(join(' ', $r->status, $r->header('Content-Length'), $r->body // ''), '200 ' . length($api->text) . ' ', 'HEAD');
$r = nobody()->options('/openapi.json');
is(join(' ', $r->status, $r->header('Allow')), '204 GET, HEAD, OPTIONS', 'OPTIONS');
answered(nobody('0' x 32)->get('/openapi.json?x=1'), 200, 'a wrong key does not matter');
refused(account()->delete('/openapi.json'), 405, 1013, 'it cannot be deleted');
refused(admin()->get('/openapi.json'), 404, 1004, "the administration's location has none");
my $get = '/v1/openapi.json';
my @answers = wire({ answers => 2 }, request(GET => $get, [], 'x' x 100), request(GET => $get, ['Connection: close']));
is(join(' ', map { $_->status . ' ' . length $_->body } @answers), join(' ', (200, length $api->text) x 2), 'a body is dropped');


=== TEST 2: it is OpenAPI 3.1 whose parts hold together
--- check
my $document = $api->document;
is($document->{openapi}, '3.1.0', 'version');
my (%used, @lost);
walk(sub {
    my $ref = $_[0]{'$ref'};
    return if !defined $ref;
    $used{$ref} = 1;
    push @lost, "$_[1]: $ref" if !eval { $api->resolve($_[0]) } || keys %{ $_[0] } != 1;
}, $document, '');
is("@lost", '', 'every reference stands alone and leads somewhere');
my @kinds = qw(parameters headers requestBodies responses schemas);
my @parts = map { my $kind = $_; map { "#/components/$kind/$_" } keys %{ $api->component($kind) } } @kinds;
is(sorted(grep { !$used{$_} } @parts), '#/components/responses/MethodNotAllowed', 'all are used, but for the answer to other methods');

my (%ids, %tags);
for my $operation (@operations) {
    my $about = $operation->{about};
    $ids{ $operation->{id} }++;
    $tags{$_} = 1 for @{ $about->{tags} };
    ok(length $about->{summary}, "$operation->{id}: a summary");
    my @path = grep { $_->{in} eq 'path' } $api->parameters($operation);
    is(sorted(map { $_->{name} } @path), sorted($operation->{template} =~ /\{(\w+)\}/g), "$operation->{id}: parameters of its path");
    ok(!(grep { !$_->{required} } @path), "$operation->{id}: they are required");
    my %names;
    $names{"$_->{in} $_->{name}"}++ for $api->parameters($operation);
    ok(!(grep { $_ > 1 } values %names), "$operation->{id}: no parameter twice");
    ok((grep { /^2/ } keys %{ $about->{responses} }), "$operation->{id}: a way to succeed");
    my $keyless = $operation->{service} eq 'admin' || $operation->{id} eq 'getDescription';
    is(json($about->{security} // 'as all'), $keyless ? '[]' : '"as all"', "$operation->{id}: does it need a key");
}
is(join(' ', grep { $ids{$_} > 1 } keys %ids), '', 'operationIds are unique');
is(sorted(keys %tags), sorted(map { $_->{name} } @{ $document->{tags} }), 'tags');

my @open;
walk(sub {
    my ($node, $path) = @_;
    return if $path =~ /requestBod|(?:New|Change)\z/;
    push @open, $path if ($node->{type} // '') eq 'object' && $node->{properties} && !exists $node->{additionalProperties};
}, $document, '');
is("@open", '', 'objects of replies are closed');


=== TEST 3: the judge sees what is wrong
--- check
my ($get) = grep { $_->{id} eq 'getSender' } @operations;
my ($list) = grep { $_->{id} eq 'listContacts' } @operations;
my $date = '2026-01-01 00:00:00';
my %sender = (id => $document_id{sender}, account_id => $document_id{account}, name => 'Acme', display_name => 'Acme', code => undef,
              phone => undef, channel => 'SMS', type => 'ALPHANUMERIC', status => 'ACTIVE', create_date => $date, update_date => $date,
              links => { self => "/v1/senders/$document_id{sender}", account => "/v1/accounts/$document_id{account}" });
my %error = (timestamp => $date, path => '/v1/senders', method => 'GET', status => 404, message => 'sender is not found', code => 1151);
my $verdict = sub {
    my ($operation, $status, $body, %headers) = @_;
    $body = json($body) if ref $body;
    my $answer = Campaign::Answer->new('GET', '/', $status, { 'content-type' => 'application/json', %headers }, $body);
    return join '; ', $api->reply_faults($operation, $answer);
};
is($verdict->($get, 200, { data => \%sender }), '', 'a good reply is good');
is($verdict->($get, 404, { errors => [\%error] }), '', 'a good error too');
isnt($verdict->($get, 200, { data => { %sender, secret => 1 } }), '', 'a field too many');
isnt($verdict->($get, 200, { data => { %sender, links => { %{ $sender{links} }, other => '/v1/x' } } }), '', 'inside as well');
isnt($verdict->($get, 200, { data => { map { $_ eq 'phone' ? () : ($_ => $sender{$_}) } keys %sender } }), '', 'a field too few');
isnt($verdict->($get, 200, { data => { %sender, name => 5 } }), '', 'a number in place of a text');
isnt($verdict->($get, 200, { data => { %sender, name => undef } }), '', 'null in place of a text');
isnt($verdict->($get, 200, { data => { %sender, create_date => '2026-01-01T00:00:00Z' } }), '', 'a date of another form');
isnt($verdict->($get, 200, { data => { %sender, id => uc $sender{id} } }), '', 'an identifier in upper case');
isnt($verdict->($get, 200, { data => { %sender, type => 'alphanumeric' } }), '', 'a word that is not in the list');
isnt($verdict->($get, 200, { data => [\%sender] }), '', 'a list in place of an object');
isnt($verdict->($get, 200, { data => \%sender, extra => 1 }), '', 'beside data');
isnt($verdict->($get, 200, 'oops'), '', 'no JSON');
isnt($verdict->($get, 200, ''), '', 'no body');
isnt($verdict->($get, 201, { data => \%sender }), '', 'another status');
isnt($verdict->($get, 200, { data => \%sender }, 'content-type' => 'text/html'), '', 'another type');
isnt($verdict->($get, 200, { data => \%sender }, 'x-powered-by' => 'x'), '', 'a header that is not described');
isnt($verdict->($get, 503, { errors => [{ %error, status => 503, code => 1011 }] }), '', 'a header that is missing');
isnt($verdict->($get, 503, { errors => [{ %error, status => 503, code => 1011 }] }, 'retry-after' => 'soon'), '', 'a header that is wrong');
is($verdict->($get, 503, { errors => [{ %error, status => 503, code => 1011 }] }, 'retry-after' => '1'), '', 'and one that is right');
isnt($verdict->($get, 404, { errors => [{ %error, code => 1251 }] }), '', "another resource's code");
isnt($verdict->($get, 404, { errors => [{ %error, code => 1099 }] }), '', 'a code that is none');
isnt($verdict->($get, 404, { errors => [] }), '', 'no error');
isnt($verdict->($get, 400, { errors => [\%error] }), '', 'an error with the status of another');
my %file = ('content-disposition' => 'attachment; filename="contacts.csv"');
isnt($verdict->($list, 200, "a,b\r\n", 'content-type' => 'text/csv', %file), '', 'other columns');
isnt($verdict->($list, 200, "{\"id\":1}\n", 'content-type' => 'application/x-ndjson', %file), '', 'a line that is no contact');


=== TEST 4: routes and document name the same methods and paths, in the same way
--- check
my @described = map { "$_->{service} $_->{method} $_->{path}" } @operations;
is(sorted(@described), sorted(keys %route), 'each route is described, each description has a route');
for my $operation (@operations) {
    my ($id, $about, $route) = ($operation->{id}, $operation->{about}, route($operation) // next);
    ok($about->{responses}{ $route->{status} }, "$id: status $route->{status}");
    is($about->{requestBody} ? 1 : 0, $route->{flags}{BODY} ? 1 : 0, "$id: a body or none");
    my @types = ($route->{flags}{BODY} ? 'application/json' : (), $route->{flags}{BODY_LINES} ? ('text/csv', 'application/x-ndjson') : ());
    is(sorted(keys %{ $api->request_content($operation) }), sorted(@types), "$id: types of the body");
    is(($about->{'x-scope'} // '') eq 'full' ? 1 : 0, $route->{flags}{FULL_KEY} ? 1 : 0, "$id: the scope of the key");
    my %own = map { $_ => 1 } @{ $about->{'x-error-codes'} // [] };
    is(sorted(grep { !$own{$_} } @{ $route->{codes} }), '', "$id: codes of wrong identifiers");
}


=== TEST 5: fields of the tables and of the document are the same, and have the same limits
--- check
my %resource = map { ($_ => resource($_)) } grep { defined } map { $_->{resource} } values %route;
my $names = sub { my %seen; sorted(grep { !$seen{$_}++ } map { $_->{name} } @_) };
for my $operation (@operations) {
    my ($id, $route) = ($operation->{id}, route($operation) // next);
    my $resource = $resource{ $route->{resource} // next };
    my ($fields, $given) = @$resource{qw(fields given)};
    my $flag = $route->{method} eq 'POST' ? 'POST' : 'PUT';

    if ($route->{status} != 204 && !$by_hand{$id}) {
        my $schema = $api->reply_data($operation, $route->{status});
        $schema = $api->resolve($schema->{anyOf}[0]) if $schema->{anyOf};
        my @shown = grep { $_->{flags}{SHOW} || $flag eq 'POST' && $_->{flags}{ONCE} } @$fields;
        is(sorted(keys %{ $schema->{properties} }), $names->(@shown), "$id: fields of the reply");
        is(sorted(@{ $schema->{required} }), $names->(@shown), "$id: all are always there");
    }

    next if !$route->{flags}{BODY};
    my $schema = $api->request_data($operation);
    $schema = $api->resolve($schema->{anyOf}[0]) if $schema->{anyOf} && !$schema->{properties};

    if ($given) {
        is(sorted(keys %{ $schema->{properties} }), sorted(keys %$given), "$id: fields of the request");
        for (sort keys %$given) {
            my $property = $api->resolve($schema->{properties}{$_});
            $property = $api->resolve($property->{items}) if $property->{items};
            is($property->{maxLength}, $given->{$_}, "$id: length of $_");
        }
        next;
    }

    my @given = grep { $_->{flags}{$flag} } @$fields;
    my %own = map { $_ => 1 } @{ $operation->{about}{'x-error-codes'} };
    is(sorted(keys %{ $schema->{properties} }), $names->(@given), "$id: fields of the request");
    my @required = $flag eq 'POST' ? grep { $_->{flags}{MUST} } @given : ();
    is(sorted(@{ $schema->{required} // [] }), $names->(@required), "$id: those that are required");

    for my $field (@given) {
        my $property = $api->resolve($schema->{properties}{ $field->{name} } // next);
        if ($field->{type} =~ /\Afield_(?:text|message)\z/) {
            is($property->{maxLength}, $field->{most}, "$id: length of $field->{name}");
        } elsif ($field->{type} eq 'field_uint') {
            is_deeply([@$property{qw(minimum maximum)}], [@$field{qw(least most)}], "$id: limits of $field->{name}");
        }
        is(sorted(grep { !$own{$_} } @{ $field->{codes} }), '', "$id: codes of $field->{name}");
    }
}


=== TEST 6: filters, columns and codes of the resources are in the document
--- check
my (%filters, %described, %codes, %columns, %told);
for my $operation (@operations) {
    my $route = route($operation) // next;
    my $resource = resource($route->{resource} // next);
    my ($table, @parameters) = ($resource->{table}, map { $_->{name} } $api->parameters($operation));

    $codes{$table}{$_} = 1 for grep { $_ >= 1100 } @{ $resource->{codes} };
    $told{$table}{$_} = 1 for @{ $operation->{about}{'x-error-codes'} // [] };

    next if !grep { $_ eq 'page_size' } @parameters;
    $filters{$table} = sorted(@{ $resource->{filters} });
    $described{$table}{$_} = 1 for map { /\Afilter\[(.*)\]\z/ ? $1 : () } @parameters;

    my $csv = $api->resolve($operation->{about}{responses}{200})->{content}{'text/csv'};
    is("@{ ($csv // {})->{'x-columns'} // [] }", "@{ $resource->{columns} }", "$operation->{id}: columns of the export");
}
is(sorted(keys %{ $described{$_} // {} }), $filters{$_}, "$_: filters") for sort keys %filters;
for my $table (sort keys %codes) {
    is(sorted(grep { !$told{$table}{$_} } keys %{ $codes{$table} }), '', "$table: codes of the store's answers");
}


=== TEST 7: error codes and document are the same
--- check
my %errors = errors();
my $described = $api->document->{'x-errors'};
is(sorted(keys %$described), sorted(keys %errors), 'codes');
is(sorted(@{ $api->component('schemas')->{ErrorCode}{enum} }), sorted(keys %$described), 'codes of the schema');
for my $code (sort keys %errors) {
    my $row = $described->{$code} // next;
    is("$row->{status} $row->{message}", "$errors{$code}{status} " . $errors{$code}{message} =~ s/%V/{channels}/r, "code $code");
}
my %named = map { map { $_ => 1 } @{ $_->{about}{'x-error-codes'} // [] } } @operations;
is(sorted(grep { !$named{$_} && !$described->{$_}{general} && !$described->{$_}{incoming} } keys %$described), '', 'each code is one of an operation, of any, or of what gateways tell us');
is(sorted(grep { !$described->{$_} } keys %named), '', 'and has a row');
for my $operation (@operations) {
    my $responses = $operation->{about}{responses};
    my @without = grep { !$described->{$_} || !$responses->{ $described->{$_}{status} } } @{ $operation->{about}{'x-error-codes'} // [] };
    is("@without", '', "$operation->{id}: the status of each of its codes is described");
}


=== TEST 8: examples of the document keep to its own schemas
--- check
for my $operation (@operations) {
    my %content = (request => $api->request_content($operation));
    for my $status (grep { /^[23]/ } sort keys %{ $operation->{about}{responses} }) {
        $content{$status} = $api->resolve($operation->{about}{responses}{$status})->{content} // {};
    }
    for my $of (sort keys %content) {
        for my $type (sort keys %{ $content{$of} }) {
            my %example = examples($content{$of}{$type});
            my $title = "$operation->{id}: $of, $type";
            is(join("\n", $api->media_faults($type, $content{$of}{$type}, $example{$_})), '', "$title $_") for sort keys %example;
            ok(%example ? 1 : 0, "$title has an example") if $operation->{id} ne 'getDescription';
        }
    }

    my $schema = $api->request_data($operation) // next;
    my @schemas = ($schema, map { $api->resolve($_) } map { $_, $_->{items} // () } @{ $schema->{anyOf} // [] });
    my %property = map { %{ $_->{properties} // {} } } @schemas;
    my %example = examples($content{request}{'application/json'});
    my @objects = grep { ref eq 'HASH' } map { ref $_->{data} eq 'ARRAY' ? @{ $_->{data} } : $_->{data} } values %example;
    my %strange = map { $_ => 1 } grep { !$property{$_} } map { keys %$_ } @objects;
    is(sorted(keys %strange), '', "$operation->{id}: examples have no field that is not described");
}
for (sort keys %{ $api->component('parameters') }) {
    my $parameter = $api->component('parameters')->{$_};
    is(join("\n", $api->faults($parameter->{example}, $parameter->{schema})), '', "parameter $_") if exists $parameter->{example};
}


=== TEST 9: every documented request gets a documented reply
--- check
my (%seen, $sent);
for my $operation (@operations) {
    my $world;

    for my $request (requests($operation)) {
        my $get = $operation->{method} eq 'GET';
        $world = world($state{"$operation->{id} " . ($request->{name} // '')} // ($get ? 'full' : '')) if !$world || !$get;
        my $r = send_request($operation, $request, $world);
        $seen{"$operation->{id} " . $r->status} = 1;
        $sent++;
        judged($operation, $r, $request->{name} // 'plain');
        like($r->status, qr/\A2/, "$operation->{id}: success") or diag(substr $r->body // '', 0, 1000);

        if (my $key = ($request->{headers} // {})->{'Idempotency-Key'}) {
            my $again = send_request($operation, $request, $world);
            judged($operation, $again, 'again');
            my $told = join ' ', $again->status, $again->header('Idempotency-Replayed') // '', $again->body;
            is($told, join(' ', $r->status, 'true', $r->body), "$operation->{id}: a repeat is told");
        }
        if (my $link = eval { $r->page->{links}{next} }) {
            my $next = ($operation->{service} eq 'admin' ? admin() : $world->{account})->get($link);
            answered($next, 200, "$operation->{id}: the next page");
            judged($operation, $next, 'next page');
        }
    }
}
my $description = (grep { $_->{id} eq 'getDescription' } @operations)[0];
my $r = nobody()->get('/openapi.json', 'If-None-Match' => nobody()->get('/openapi.json')->header('ETag'));
judged($description, $r, 'not modified');
$seen{'getDescription 304'} = 1;
my @wanted = map { my $o = $_; map { "$o->{id} $_" } grep { /^[23]/ } keys %{ $o->{about}{responses} } } @operations;
is(sorted(grep { !$seen{$_} } @wanted), '', 'each way to succeed was seen');
cmp_ok($sent, '>=', 2 * @operations, "$sent requests");


=== TEST 10: every operation refuses as it is documented
--- check
my $disabled = account(status => 'disabled');
for my $operation (@operations) {
    my ($id, $about) = @$operation{qw(id about)};
    my $world = world();
    my $reader = nobody(admin()->post('/accounts/' . $world->{account}->id . '/keys', { scope => 'read' })->data->{api_key});
    my ($first) = requests($operation);
    my %request = %$first;
    my $admin = $operation->{service} eq 'admin';
    my $try = sub {
        my ($status, $title, $client, %change) = @_;
        my $r = send_request($operation, { %request, %change }, $world, $client);
        judged($operation, $r, $title);
        is($r->status, $status, "$id $title: status");
        return $r;
    };

    if (!$admin && $id ne 'getDescription') {
        $try->(401, 'without a key', nobody());
        $try->(401, 'with a wrong key', nobody('0' x 32));
        $try->(403, 'with a key for reading', $reader) if $about->{'x-scope'};
        $try->(403, 'of a disabled account', $disabled);
    }

    my @ids = grep { $_->{in} eq 'path' } $api->parameters($operation);
    for my $parameter (@ids) {
        my ($kind) = $parameter->{description} =~ /of the (\w+)/;
        local $world->{id}{$kind} = '12';
        $try->(400, "an $parameter->{name} that is none");
        local $world->{id}{$kind} = $kind eq 'suppression' ? '447700900000' : '00000000-0000-4000-8000-000000000000';
        $try->(404, "an $parameter->{name} of nothing");
    }

    if ($about->{requestBody}) {
        $try->(415, 'a body of another type', undef, type => 'text/plain');
        $try->(400, 'a body that ends early', undef, type => 'application/json', body => '{"data": {');
        $try->(400, 'no data', undef, type => 'application/json', body => '{}');
        $try->(400, 'no body', undef, type => 'application/json', body => '');
        my @headers = ($admin ? () : $world->{account}->header, 'Content-Type: application/json', 'Content-Length: 99999999');
        my $long = wire(request($operation->{method}, path($operation, \%request, $world), \@headers, ''));
        judged($operation, $long, 'a body that is too long');
        is($long->status, 413, "$id a body that is too long: status");
        my $data = $api->request_data($operation);
        $data = $api->resolve($data->{anyOf}[0]) if !$data->{properties};
        for my $value (5, '', 'x' x 5000, {}, [[]], -1, '{oops}') {
            my $body = json({ data => { map { $_ => $value } keys %{ $data->{properties} } } });
            my $r = send_request($operation, { %request, type => 'application/json', body => $body }, $world);
            judged($operation, $r, 'fields that are all ' . substr json($value), 0, 20);
        }
        my $r = send_request($operation, { %request, type => 'application/json', body => '{"data": {}}' }, $world);
        judged($operation, $r, 'fields that are all left out');
    }

    for (grep { $_->{in} eq 'query' && !$_->{schema}{'$ref'} && $_->{name} ne 'filter[name]' } $api->parameters($operation)) {
        next if $_->{name} !~ /\Apage_|status|type/;
        $try->(400, "a wrong $_->{name}", undef, query => escape($_->{name}) . '=%20x');
    }
}


=== TEST 11: HEAD where GET is, OPTIONS everywhere
--- check
my $world = world();
my (%methods, %at);
for my $operation (@operations) {
    my $key = "$operation->{service} $operation->{path}";
    $methods{$key}{ $operation->{method} } = 1;
    $at{$key} = $operation;
    next if $operation->{method} ne 'GET';
    my $get = send_request($operation, {}, $world);
    my $head = send_request({ %$operation, method => 'HEAD' }, {}, $world);
    judged($operation, $head, 'HEAD');
    my $said = sub { join ' ', $_[0]->status, $_[0]->header('content-type'), $_[1] };
    is($said->($head, length($head->body // '')), $said->($get, 0), "$operation->{id}: HEAD is GET without a body");
}
for my $key (sort keys %methods) {
    my $r = send_request({ %{ $at{$key} }, method => 'OPTIONS' }, {}, $world, $key =~ /^admin/ ? admin() : nobody());
    my $allow = sorted(keys %{ $methods{$key} }, $methods{$key}{GET} ? 'HEAD' : (), 'OPTIONS');
    is(join(' ', $r->status, sorted(split /, /, $r->header('Allow') // '')), "204 $allow", "OPTIONS of $key");
    $r = send_request({ %{ $at{$key} }, method => 'TRACES' }, {}, $world);
    is(join(' ', $r->status, $r->codes), '405 1013', "another method of $key");
    my $response = $api->component('responses')->{MethodNotAllowed};
    my @faults = ($api->header_faults($response, $r), $api->faults($r->json, $response->{content}{'application/json'}{schema}));
    is("@faults", '', 'and its reply');
}
