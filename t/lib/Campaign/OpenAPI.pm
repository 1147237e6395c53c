package Campaign::OpenAPI;

# The description of the API (src/http/openapi.json) as tests need it: its operations, and a judge of replies.  Values are judged by
# JSON::Validator.  The dialect of OpenAPI 3.1 is that of JSON Schema 2020-12, which it does not know by name; the keywords used here mean
# the same in 2019-09.  Objects of replies are closed by additionalProperties, never by unevaluatedProperties, which it does not know.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use JSON::PP ();
use JSON::Validator::Schema::Draft201909;

my $file = 'src/http/openapi.json';
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# headers that HTTP and nginx need themselves
my %transport = map { $_ => 1 } qw(server date content-type content-length transfer-encoding connection keep-alive);

sub new {
    my $class = shift;

    open my $in, '<', $file or croak "$file: $!";
    my $text = do { local $/; <$in> };

    my $self = bless { text => $text, document => $json->decode($text) }, $class;
    $self->{validator} = JSON::Validator::Schema::Draft201909->new->resolve($self->{document});

    return $self;
}

sub text { $_[0]{text} }
sub document { $_[0]{document} }
sub component { $_[0]{document}{components}{ $_[1] } }

# what a reference leads to; anything else as it is
sub resolve {
    my ($self, $node) = @_;

    while (ref $node eq 'HASH' && defined $node->{'$ref'}) {
        my $at = $self->{document};
        my $ref = $node->{'$ref'};

        for ($ref =~ s{\A#/}{}r =~ m{[^/]+}g) {
            $at = ref $at eq 'HASH' ? $at->{ s{~1}{/}gr =~ s{~0}{~}gr } : undef;
        }
        $node = $at // croak "$ref leads nowhere";
    }
    return $node;
}

# each { id, service, method, path (below the service's location, {id} for any parameter), template (path as it is written), about }
sub operations {
    my $self = shift;
    my @operations;

    for my $template (sort keys %{ $self->{document}{paths} }) {
        my $item = $self->{document}{paths}{$template};
        my $service = ($item->{servers} // $self->{document}{servers})->[0]{url} eq '/admin' ? 'admin' : 'api';

        for my $method (grep { ref $item->{$_} eq 'HASH' } sort keys %$item) {
            push @operations, { id => $item->{$method}{operationId}, service => $service, method => uc $method, template => $template,
                                path => $template =~ s{\A/}{}r =~ s/\{\w+\}/{id}/gr, about => $item->{$method} };
        }
    }
    return @operations;
}

sub parameters {
    my ($self, $operation) = @_;
    return map { $self->resolve($_) } @{ $operation->{about}{parameters} // [] };
}

# the schema of `data` in a request or a reply, of its items if it is a list; undef: there is none
sub data {
    my ($self, $content) = @_;
    my $schema = $self->resolve(($content->{'application/json'} // return)->{schema});
    my $data = $self->resolve($schema->{properties}{data} // return);
    return ($data->{type} // '') eq 'array' ? $self->resolve($data->{items}) : $data;
}

sub request_content { $_[0]->resolve($_[1]{about}{requestBody} // {})->{content} // {} }
sub request_data { $_[0]->data($_[0]->request_content($_[1])) }
sub reply_data { $_[0]->data($_[0]->resolve($_[1]{about}{responses}{ $_[2] } // {})->{content} // {}) }

# what is wrong with a value; an empty list: nothing
sub faults {
    my ($self, $value, $schema) = @_;
    return map { "$_" } $self->{validator}->validate($value, $schema);
}

# what is wrong with the answer to an operation
sub reply_faults {
    my ($self, $operation, $answer) = @_;
    my $status = $answer->status;
    my $response = $operation->{about}{responses}{$status} or return "status $status is not in the document";

    $response = $self->resolve($response);
    return ($self->header_faults($response, $answer), $self->body_faults($operation, $response, $answer));
}

sub header_faults {
    my ($self, $response, $answer) = @_;
    my %described = map { lc $_ => $self->resolve($response->{headers}{$_}) } keys %{ $response->{headers} // {} };
    my @faults;

    for my $name (sort keys %described) {
        my $value = $answer->header($name);

        if (defined $value) {
            push @faults, map { "header $name: $_" } $self->faults($value, $described{$name}{schema});
        } elsif ($described{$name}{required}) {
            push @faults, "header $name is missing";
        }
    }

    push @faults, map { "header $_ is not in the document" } grep { !$described{$_} && !$transport{$_} } sort keys %{ $answer->{headers} };
    return @faults;
}

sub body_faults {
    my ($self, $operation, $response, $answer) = @_;
    my $body = $answer->body // '';
    my $type = ($answer->header('content-type') // '') =~ s/;.*//sr;

    return $body eq '' ? () : 'a body that is not in the document' if !$response->{content};
    return if ($answer->{method} // '') eq 'HEAD';

    my $media = $response->{content}{$type} or return "a body of type '$type' is not in the document";
    my $value = $type eq 'application/json' ? eval { $json->decode($body) } // return 'the body is no JSON' : $body;
    my @faults = $self->media_faults($type, $media, $value);

    push @faults, $self->error_faults($operation, $answer->status, $value->{errors}) if !@faults && $answer->status >= 400;
    return @faults;
}

# of a body of one of the types: decoded if it is JSON
sub media_faults {
    my ($self, $type, $media, $value) = @_;
    my @faults = $self->faults($value, $media->{schema});

    if (my $columns = $media->{'x-columns'}) {
        my $head = join ',', @$columns;
        push @faults, "the header row is not $head" if $value !~ /\A\Q$head\E\r\n/;
    }
    if (my $item = $media->{'x-itemSchema'}) {
        push @faults, map { $self->faults(eval { $json->decode($_) }, $item) } split /\n/, $value;
    }
    return @faults;
}

# each code is one of this operation, or one that any may give, and has the status of the table
sub error_faults {
    my ($self, $operation, $status, $errors) = @_;
    my $table = $self->{document}{'x-errors'};
    my %own = map { $_ => 1 } @{ $operation->{about}{'x-error-codes'} // [] };
    my @faults;

    for (@$errors) {
        push @faults, "code $_->{code} is not one of the operation's" if !$own{ $_->{code} } && !$table->{ $_->{code} }{general};
        push @faults, "code $_->{code} came with status $_->{status}" if $_->{status} != $table->{ $_->{code} }{status};
    }

    push @faults, "the status line says $status" if $errors->[0]{status} != $status;
    return @faults;
}

1;
