package float
import ("testing";"os";"path/filepath";"context";"math";"errors";"fmt";"slices";"strings";"google.golang.org/protobuf/encoding/protowire";"github.com/weisyn/wes/prover/model/onnx")
func readTP(p string)(t onnx.Tensor, err error){ b,err:=os.ReadFile(p); if err!=nil{return t,err}
 // wrap as a model with one initializer
 g:=protowire.AppendBytes(protowire.AppendTag(nil,5,protowire.BytesType),b)
 g=append(g,protowire.AppendBytes(protowire.AppendTag(nil,11,protowire.BytesType),append(protowire.AppendString(protowire.AppendTag(nil,1,protowire.BytesType),"zz"),protowire.AppendBytes(protowire.AppendTag(nil,2,protowire.BytesType),protowire.AppendBytes(protowire.AppendTag(nil,1,protowire.BytesType),[]byte{8,1}))...))...)
 g=append(g,protowire.AppendBytes(protowire.AppendTag(nil,12,protowire.BytesType),append(protowire.AppendString(protowire.AppendTag(nil,1,protowire.BytesType),"zz"),protowire.AppendBytes(protowire.AppendTag(nil,2,protowire.BytesType),protowire.AppendBytes(protowire.AppendTag(nil,1,protowire.BytesType),[]byte{8,1}))...))...)
 m,err:=onnx.Parse(protowire.AppendBytes(protowire.AppendTag(nil,7,protowire.BytesType),g),onnx.Limits{})
 if err!=nil{return t,err}
 return m.Graph.Initializers[0],nil }
func toT(t onnx.Tensor) Tensor { k,_:=constantOf(&t); if k==nil{return Tensor{}}; return k.tensor() }
func TestConf(t *testing.T){
 dirs,_:=filepath.Glob("/tmp/onnxtd/x/usr/share/libonnx-testdata/data/node/*"); if len(dirs)==0 { dirs,_=filepath.Glob("/tmp/onnxtd/x/usr/share/*/*/node/*")}
 if len(dirs)==0 { t.Fatal("no dirs")}
 pass,fail:=0,0; parse:=map[string]int{}; uns:=map[string]int{}
 for _,d:=range dirs{ b,err:=os.ReadFile(d+"/model.onnx"); if err!=nil{continue}
  name:=filepath.Base(d)
  // bump opsets
  for _,pre:=range []string{"B\x02\x10","B\x04\n\x00\x10"} { if i:=strings.LastIndex(string(b),pre); i>=0 && b[i+len(pre)]<11 {b[i+len(pre)]=11}}
  m,err:=onnx.Parse(b,onnx.Limits{})
  if err!=nil{ s:=err.Error(); if len(s)>60{s=s[:60]}; parse[s]++; continue}
  var ins []onnx.Tensor; bad:=false
  for i:=range m.Graph.Inputs{ x,err:=readTP(fmt.Sprintf("%s/test_data_set_0/input_%d.pb",d,i)); if err!=nil{bad=true;break}; x.Name=m.Graph.Inputs[i].Name; ins=append(ins,x)}
  if bad{continue}
  for variant:=0;variant<3;variant++{
   mm:=*m; mm.Graph.Initializers=slices.Clone(m.Graph.Initializers)
   opt:=Options{Shapes:map[string][]int{}}
   var acts []Tensor
   for i,x:=range ins{ if variant==0&&i>0 || variant==2&&i==0 { mm.Graph.Initializers=append(mm.Graph.Initializers,x)} else { tt:=toT(x); acts=append(acts,tt); opt.Shapes[x.Name]=tt.Shape}}
   // inputs declared + initializer => constant
   g,err:=Import(&mm,opt)
   var u *UnsupportedError
   if errors.As(err,&u){ if variant==0 {uns[u.Items[0].Op+": "+u.Items[0].Reason]++}; continue}
   if err!=nil{ t.Log(name,variant,err); continue}
   out,err:=Outputs(context.Background(),g,acts); if err!=nil{t.Log(name,err);fail++;continue}
   ok:=true
   for i,o:=range out{ w,err:=readTP(fmt.Sprintf("%s/test_data_set_0/output_%d.pb",d,i)); if err!=nil{ok=false;break}; wt:=toT(w)
     if !slices.Equal(wt.Shape,o.Shape){ t.Log(name,variant,"shape",o.Shape,"want",wt.Shape);ok=false;break}
     for j:=range o.Data{ if df:=math.Abs(float64(o.Data[j]-wt.Data[j])); !(df<=1e-4*max(1,math.Abs(float64(wt.Data[j])))){ t.Log(name,variant,"cell",j,o.Data[j],wt.Data[j]);ok=false;break}}
     if !ok{break}}
   if ok{pass++; if os.Getenv("V")!=""{t.Log("ok",name,variant)}}else{fail++}
  }
 }
 t.Log("pass",pass,"fail",fail)
 if os.Getenv("U")!=""{for k,v:=range uns{ if !strings.Contains(k,"operator is not supported"){t.Log(v,k)}}; for k,v:=range parse{t.Log(v,k)}}
}
