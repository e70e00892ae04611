package gateway

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3gen"
)

// OpenAPI describes all routes, OpenAPI 3.0. The schemas are made of the Go types.
func OpenAPI() (*openapi3.T, error) {
	d := &document{schemas: openapi3.Schemas{}}
	t := &openapi3.T{
		OpenAPI: "3.0.3",
		Info:    &openapi3.Info{Title: "WES market", Version: "1", Description: "Jobs, models, operators and devices of a node; Open Inference Protocol v2."},
		Paths:   openapi3.NewPaths(),
	}
	for _, x := range routes() {
		o, err := d.operation(&x)
		if err != nil {
			return nil, fmt.Errorf("describe %s %s: %w", x.method, x.path, err)
		}
		item := t.Paths.Value(x.path)
		if item == nil {
			item = &openapi3.PathItem{}
			t.Paths.Set(x.path, item)
		}
		item.SetOperation(x.method, o)
	}
	t.Components = &openapi3.Components{Schemas: d.schemas, SecuritySchemes: openapi3.SecuritySchemes{
		"token": {Value: openapi3.NewSecurityScheme().WithType("http").WithScheme("bearer")},
	}}
	t.Security = *openapi3.NewSecurityRequirements().With(openapi3.NewSecurityRequirement()).With(openapi3.NewSecurityRequirement().Authenticate("token"))
	return t, nil
}

// document gathers the schemas of the types that it describes.
type document struct {
	schemas openapi3.Schemas
}

func (d *document) operation(x *route) (*openapi3.Operation, error) {
	o := openapi3.NewOperation()
	o.OperationID, o.Summary, o.Responses = x.name, x.about, openapi3.NewResponses()
	o.Responses.Delete("default")
	for _, name := range placeholders(x.path) {
		o.AddParameter(openapi3.NewPathParameter(name).WithSchema(openapi3.NewStringSchema()))
	}
	for _, q := range x.query {
		o.AddParameter(openapi3.NewQueryParameter(q.name).WithDescription(q.about).WithSchema(&openapi3.Schema{Type: &openapi3.Types{q.kind}}))
	}
	if err := d.takes(o, x); err != nil {
		return nil, err
	}
	return o, d.gives(o, x)
}

// placeholders returns the names in braces of a path.
func placeholders(path string) []string {
	var names []string
	for part := range strings.SplitSeq(path, "/") {
		if name, found := strings.CutPrefix(part, "{"); found {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

func (d *document) takes(o *openapi3.Operation, x *route) error {
	if x.body == nil {
		return nil
	}
	c, err := d.content(x.body, x.media)
	o.RequestBody = &openapi3.RequestBodyRef{Value: openapi3.NewRequestBody().WithContent(c)}
	return err
}

func (d *document) gives(o *openapi3.Operation, x *route) error {
	good := openapi3.NewResponse().WithDescription(http.StatusText(x.status))
	c, err := d.content(x.answer, x.media)
	if err != nil {
		return err
	}
	if len(c) > 0 {
		good.Content = c
	}
	o.AddResponse(x.status, good)
	c, err = d.content(Failure{}, nil)
	for _, status := range append(x.fails, http.StatusInternalServerError, http.StatusServiceUnavailable) {
		o.AddResponse(status, openapi3.NewResponse().WithDescription(http.StatusText(status)).WithContent(c))
	}
	return err
}

// content describes a body: JSON of a value, if there is one, or something else.
func (d *document) content(v any, media []string) (openapi3.Content, error) {
	c := openapi3.Content{}
	if v != nil {
		schema, err := d.schema(v)
		if err != nil {
			return nil, err
		}
		c[mediaJSON] = openapi3.NewMediaType().WithSchemaRef(schema)
	}
	for _, m := range media {
		s := openapi3.NewStringSchema()
		if m == mediaBinary {
			s.Format = "binary"
		}
		c[m] = openapi3.NewMediaType().WithSchema(s)
	}
	return c, nil
}

func (d *document) schema(v any) (*openapi3.SchemaRef, error) {
	return openapi3gen.NewSchemaRefForValue(
		v, d.schemas,
		openapi3gen.CreateComponentSchemas(openapi3gen.ExportComponentSchemasOptions{ExportComponentSchemas: true, ExportTopLevelSchema: true}),
		openapi3gen.CreateTypeNameGenerator(typeName),
		openapi3gen.SchemaCustomizer(customize),
	)
}

// typeName is how a type is called in the document.
func typeName(t reflect.Type) string {
	r := []rune(t.Name())
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// customize adds what the tags of fields say: about describes one, omitempty makes it optional.
func customize(_ string, t reflect.Type, tag reflect.StructTag, s *openapi3.Schema) error {
	if t.Kind() == reflect.Uint64 {
		s.Max = nil // the float that is next to it is above
	}
	if t.Kind() != reflect.Struct {
		s.Description = tag.Get("about")
		return nil
	}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "" && !strings.Contains(options, "omitempty") {
			s.Required = append(s.Required, name)
		}
	}
	return nil
}
